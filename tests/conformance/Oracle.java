import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Configurable;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.header.Headers;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** Runs Apache Kafka Connect's own converters, transforms and predicates on what a test sends: a JSON line in, one out. */
public class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();
    static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    static final Map<String, Object> PLUGINS = new HashMap<>();

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            ObjectNode answer = NODES.objectNode();
            try {
                answer.set("ok", answer(JSON.readTree(line)));
            } catch (Throwable error) {
                answer.put("error", error.getClass().getName());
                answer.put("message", error.getMessage());
            }
            out.println(JSON.writeValueAsString(answer));
        }
    }

    static JsonNode answer(JsonNode ask) throws Exception {
        switch (ask.get("do").asText()) {
            case "from": {
                Schema schema = schema(ask.get("schema"));
                return bytes(((Converter) plugin(ask)).fromConnectData("topic", schema, value(schema, ask.get("value"))));
            }
            case "to":
                return both(((Converter) plugin(ask)).toConnectData("topic", data(ask.get("data"))));
            case "from header": {
                Schema schema = schema(ask.get("schema"));
                return bytes(((HeaderConverter) plugin(ask)).fromConnectHeader("topic", "h", schema, value(schema, ask.get("value"))));
            }
            case "to header":
                return both(((HeaderConverter) plugin(ask)).toConnectHeader("topic", "h", data(ask.get("data"))));
            case "transform":
                return transform(ask);
            case "test":
                return NODES.booleanNode(test(ask));
            default:
                throw new IllegalArgumentException(ask.toString());
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static JsonNode transform(JsonNode ask) throws Exception {
        Transformation transformation = (Transformation) plugin(ask);
        ConnectRecord<?> made = (ConnectRecord<?>) transformation.apply(record(ask.get("record")));
        return made == null ? NODES.nullNode() : record(made);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static boolean test(JsonNode ask) throws Exception {
        return ((Predicate) plugin(ask)).test(record(ask.get("record")));
    }

    static Object plugin(JsonNode ask) throws Exception {
        boolean key = ask.path("key").asBoolean();
        String id = ask.get("class").asText() + ask.get("config") + key + ask.get("do").asText().contains("header");
        Object known = PLUGINS.get(id);
        if (known != null) return known;
        Object made = Class.forName(ask.get("class").asText()).getDeclaredConstructor().newInstance();
        Map<String, Object> config = JSON.convertValue(ask.get("config"), Map.class);
        if (ask.get("do").asText().contains("header")) {
            config.put("converter.type", "header");
            ((HeaderConverter) made).configure(config);
        } else if (made instanceof Converter) {
            ((Converter) made).configure(config, key);
        } else {
            ((Configurable) made).configure(config);
        }
        PLUGINS.put(id, made);
        return made;
    }

    // Records

    static ConnectRecord<?> record(JsonNode n) {
        Schema keySchema = schema(n.get("keySchema")), valueSchema = schema(n.get("valueSchema"));
        Object key = value(keySchema, n.get("key")), value = value(valueSchema, n.get("value"));
        Integer partition = n.get("partition").isNull() ? null : n.get("partition").asInt();
        Long timestamp = n.get("timestamp").isNull() ? null : n.get("timestamp").asLong();
        ConnectRecord<?> made;
        if (n.has("offset")) {
            made = new SinkRecord(n.get("topic").asText(), partition, keySchema, key, valueSchema, value,
                n.get("offset").asLong(), timestamp, TimestampType.CREATE_TIME);
        } else {
            made = new SourceRecord(null, null, n.get("topic").asText(), partition, keySchema, key, valueSchema, value, timestamp);
        }
        for (JsonNode header : n.get("headers")) {
            Schema schema = schema(header.get("schema"));
            made.headers().add(header.get("key").asText(), value(schema, header.get("value")), schema);
        }
        return made;
    }

    static ObjectNode record(ConnectRecord<?> record) {
        ObjectNode n = NODES.objectNode();
        n.put("topic", record.topic());
        n.put("partition", record.kafkaPartition());
        n.set("keySchema", schema(record.keySchema()));
        n.set("key", value(record.key()));
        n.set("valueSchema", schema(record.valueSchema()));
        n.set("value", value(record.value()));
        n.put("timestamp", record.timestamp());
        if (record instanceof SinkRecord) n.put("offset", ((SinkRecord) record).kafkaOffset());
        ArrayNode headers = n.putArray("headers");
        for (Header header : record.headers()) {
            ObjectNode h = headers.addObject();
            h.put("key", header.key());
            h.set("schema", schema(header.schema()));
            h.set("value", value(header.value()));
        }
        return n;
    }

    // Bytes

    static JsonNode bytes(byte[] data) {
        return data == null ? NODES.nullNode() : NODES.textNode(Base64.getEncoder().encodeToString(data));
    }

    static byte[] data(JsonNode n) {
        return n.isNull() ? null : Base64.getDecoder().decode(n.asText());
    }

    static JsonNode both(SchemaAndValue made) {
        ObjectNode n = NODES.objectNode();
        n.set("schema", schema(made.schema()));
        n.set("value", value(made.value()));
        return n;
    }

    // Schemas: {"type", "optional", "name", "version", "doc", "parameters", "default", "fields", "keys", "values"}

    static Schema schema(JsonNode n) {
        if (n == null || n.isNull()) return null;
        SchemaBuilder b;
        switch (Schema.Type.valueOf(n.get("type").asText())) {
            case ARRAY: b = SchemaBuilder.array(schema(n.get("values"))); break;
            case MAP: b = SchemaBuilder.map(schema(n.get("keys")), schema(n.get("values"))); break;
            case STRUCT:
                b = SchemaBuilder.struct();
                for (JsonNode field : n.get("fields")) b.field(field.get(0).asText(), schema(field.get(1)));
                break;
            default: b = SchemaBuilder.type(Schema.Type.valueOf(n.get("type").asText()));
        }
        if (n.path("optional").asBoolean()) b.optional();
        if (n.hasNonNull("name")) b.name(n.get("name").asText());
        if (n.hasNonNull("version")) b.version(n.get("version").asInt());
        if (n.hasNonNull("doc")) b.doc(n.get("doc").asText());
        if (n.hasNonNull("parameters")) n.get("parameters").fields().forEachRemaining(p -> b.parameter(p.getKey(), p.getValue().asText()));
        if (n.hasNonNull("default")) b.defaultValue(value(b, n.get("default")));
        return b.build();
    }

    static JsonNode schema(Schema schema) {
        if (schema == null) return NODES.nullNode();
        ObjectNode n = NODES.objectNode();
        n.put("type", schema.type().name());
        if (schema.isOptional()) n.put("optional", true);
        if (schema.name() != null) n.put("name", schema.name());
        if (schema.version() != null) n.put("version", schema.version());
        if (schema.doc() != null) n.put("doc", schema.doc());
        if (schema.parameters() != null && !schema.parameters().isEmpty()) {
            ObjectNode parameters = n.putObject("parameters");
            new TreeMap<>(schema.parameters()).forEach(parameters::put);
        }
        if (schema.defaultValue() != null) n.set("default", value(schema.defaultValue()));
        if (schema.type() == Schema.Type.STRUCT) {
            ArrayNode fields = n.putArray("fields");
            for (Field field : schema.fields()) fields.addArray().add(field.name()).add(schema(field.schema()));
        }
        if (schema.type() == Schema.Type.MAP) n.set("keys", schema(schema.keySchema()));
        if (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY) n.set("values", schema(schema.valueSchema()));
        return n;
    }

    // Values: null or [kind, content]

    static Object value(Schema schema, JsonNode n) {
        if (n == null || n.isNull()) return null;
        JsonNode v = n.get(1);
        switch (n.get(0).asText()) {
            case "i8": return Byte.valueOf(v.asText());
            case "i16": return Short.valueOf(v.asText());
            case "i32": return Integer.valueOf(v.asText());
            case "i64": return Long.valueOf(v.asText());
            case "f32": return Float.valueOf(v.asText());
            case "f64": return Double.valueOf(v.asText());
            case "bool": return v.asBoolean();
            case "text": return v.asText();
            case "bytes": return Base64.getDecoder().decode(v.asText());
            case "decimal": return new BigDecimal(v.asText());
            case "date": return new Date(v.asLong());
            case "list": {
                List<Object> made = new ArrayList<>();
                for (JsonNode item : v) made.add(value(schema == null ? null : schema.valueSchema(), item));
                return made;
            }
            case "map": {
                Map<Object, Object> made = new LinkedHashMap<>();
                for (JsonNode item : v)
                    made.put(value(schema == null ? null : schema.keySchema(), item.get(0)),
                        value(schema == null ? null : schema.valueSchema(), item.get(1)));
                return made;
            }
            case "struct": {
                Schema built = schema instanceof SchemaBuilder ? ((SchemaBuilder) schema).build() : schema;
                Struct made = new Struct(built);
                for (JsonNode item : v) made.put(item.get(0).asText(), value(built.field(item.get(0).asText()).schema(), item.get(1)));
                return made;
            }
            default: throw new IllegalArgumentException(n.toString());
        }
    }

    static JsonNode pair(String kind, JsonNode content) {
        return NODES.arrayNode().add(kind).add(content);
    }

    static JsonNode text(String kind, Object content) {
        return pair(kind, NODES.textNode(content.toString()));
    }

    static JsonNode value(Object v) {
        if (v == null) return NODES.nullNode();
        if (v instanceof Byte) return text("i8", v);
        if (v instanceof Short) return text("i16", v);
        if (v instanceof Integer) return text("i32", v);
        if (v instanceof Long) return text("i64", v);
        if (v instanceof Float) return text("f32", v);
        if (v instanceof Double) return text("f64", v);
        if (v instanceof Boolean) return pair("bool", NODES.booleanNode((Boolean) v));
        if (v instanceof String) return text("text", v);
        if (v instanceof byte[]) return text("bytes", Base64.getEncoder().encodeToString((byte[]) v));
        if (v instanceof java.nio.ByteBuffer) {
            byte[] copy = new byte[((java.nio.ByteBuffer) v).remaining()];
            ((java.nio.ByteBuffer) v).duplicate().get(copy);
            return text("bytes", Base64.getEncoder().encodeToString(copy));
        }
        if (v instanceof BigDecimal) return text("decimal", v);
        if (v instanceof Date) return text("date", ((Date) v).getTime());
        if (v instanceof List) {
            ArrayNode items = NODES.arrayNode();
            for (Object item : (List<?>) v) items.add(value(item));
            return pair("list", items);
        }
        if (v instanceof Map) {
            TreeMap<String, JsonNode> sorted = new TreeMap<>();
            ((Map<?, ?>) v).forEach((k, item) -> {
                ArrayNode entry = NODES.arrayNode().add(value(k)).add(value(item));
                sorted.put(value(k).toString(), entry);
            });
            ArrayNode items = NODES.arrayNode();
            sorted.values().forEach(items::add);
            return pair("map", items);
        }
        if (v instanceof Struct) {
            ArrayNode items = NODES.arrayNode();
            for (Field field : ((Struct) v).schema().fields())
                items.addArray().add(field.name()).add(value(((Struct) v).getWithoutDefault(field.name())));
            return pair("struct", items);
        }
        return text("other", v.getClass().getName());
    }
}
