# syntax=docker/dockerfile:1
# docker build -t tidegate . && docker run --rm --init -p 8083:8083 -v "$PWD/worker.properties:/etc/worker.properties:ro" \
#     tidegate worker /etc/worker.properties

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/tidegate
# Dependencies first, by hash: this layer is built again only when they change.
COPY requirements/demo.txt requirements/
RUN /opt/tidegate/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements/demo.txt
COPY pyproject.toml README.md ./
COPY tidegate tidegate
COPY runtime runtime
COPY reconciler reconciler
RUN /opt/tidegate/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home tidegate
COPY --from=build /opt/tidegate /opt/tidegate
ENV PATH=/opt/tidegate/bin:$PATH PYTHONUNBUFFERED=1
USER tidegate
WORKDIR /home/tidegate
EXPOSE 8083
ENTRYPOINT ["tidegate"]
CMD ["--help"]
