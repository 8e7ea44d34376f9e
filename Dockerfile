# docker build -t lktrack .
# docker run --stop-timeout 45 -p 8080:8080 -v lktrack:/var/lib/lktrack -e LKTRACK_AUTH=none lktrack
#
# LKTRACK_AUTH=none is spelled out on purpose: whoever reaches the port may submit jobs.

FROM swift:6.3-bookworm AS build
WORKDIR /src
# The packages first, so that a change of the sources does not install them again.
COPY scripts/install-deps scripts/install-deps
RUN scripts/install-deps --build && rm -rf /var/lib/apt/lists/*
COPY Package.swift ./
COPY Sources Sources
COPY migrations migrations
COPY Benchmarks Benchmarks
COPY Examples Examples
COPY Proofs Proofs
COPY Fuzzing Fuzzing
COPY Tests Tests
RUN swift build -c release --product lktrack --static-swift-stdlib \
    && install -D "$(swift build -c release --static-swift-stdlib --show-bin-path)/lktrack" /out/lktrack

FROM debian:bookworm-slim
COPY scripts/install-deps /usr/local/share/lktrack/install-deps
RUN /usr/local/share/lktrack/install-deps --runtime && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/lktrack --create-home --shell /usr/sbin/nologin lktrack
COPY --from=build /out/lktrack /usr/local/bin/lktrack
COPY config/lktrack.yaml /etc/lktrack/lktrack.yaml
COPY LICENSE /usr/local/share/lktrack/LICENSE
USER lktrack
WORKDIR /var/lib/lktrack
VOLUME /var/lib/lktrack
ENV LKTRACK_SERVER_ADDRESS=0.0.0.0 LKTRACK_DATA_DIR=/var/lib/lktrack
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["lktrack"]
CMD ["serve", "--config", "/etc/lktrack/lktrack.yaml"]
