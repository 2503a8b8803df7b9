# Two stages: the toolchain builds, and only the binary with the libraries that it loads goes into what runs.
FROM swift:6.3-bookworm AS build

# The same packages as BUILD_PACKAGES in the Makefile.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends \
        libisal-dev libxxhash-dev libssl-dev libxml2-dev libsqlite3-dev libcurl4-openssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /source
COPY Package.swift ./
COPY Sources ./Sources
COPY Tests ./Tests
RUN swift build -c release --product tidegate --static-swift-stdlib \
    && install -D -s .build/release/tidegate /out/tidegate

FROM debian:bookworm-slim

RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends \
        ca-certificates libisal2 libxxhash0 libssl3 libxml2 libsqlite3-0 libcurl4 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin tidegate \
    && install -d -o tidegate -g tidegate -m 0700 /data

COPY --from=build /out/tidegate /usr/local/bin/tidegate
COPY policies /etc/tidegate/policies

# A backtrace shows what the process had in memory, and the container's log keeps it.
ENV SWIFT_BACKTRACE=enable=no
USER 10001
VOLUME /data
EXPOSE 9000

# Asks the admin port, inside the container only, whether the gateway takes requests.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9001 && printf 'GET /readyz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 '"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["tidegate"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:9000", "--admin", "127.0.0.1:9001"]
