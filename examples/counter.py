from runtime.sdk import ConfigDef, Key, SourceConnector, SourceRecord, SourceTask, Type


class Counter(SourceConnector):
    version = "1.0"
    config_def = ConfigDef(Key("topic", Type.STRING, doc="Where to write the numbers."))

    def start(self, config):
        self.config = dict(config)

    def task_class(self):
        return CounterTask

    def task_configs(self, max_tasks):
        return [self.config]


class CounterTask(SourceTask):
    def start(self, config):
        self.topic = config["topic"]
        [committed] = self.context.offsets.offsets([{"counter": "the one"}])
        self.count = committed["n"] if committed else 0

    def poll(self):
        self.context.stopping.nap(0.1)
        self.count += 1
        where = {"source_partition": {"counter": "the one"}, "source_offset": {"n": self.count}}
        return [SourceRecord(topic=self.topic, value=f"number {self.count}", **where)]
