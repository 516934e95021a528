# The image of smarthost:  docker build -t smarthost .
#
# The first stage builds as README says; the second has the program, the
# libraries it needs, and nothing to build with.

FROM debian:trixie-slim AS build
WORKDIR /src
COPY tests/deps.sh tests/wolfssl.sh tests/
RUN sh tests/deps.sh build
# Our own wolfSSL: an image with the system's would work, and be slow.
RUN sh tests/wolfssl.sh && test -s build/wolfssl/lib/libwolfssl.a
COPY . .
ARG VERSION=unknown
RUN make -j"$(nproc)" VERSION="$VERSION" build/smarthost \
 && make VERSION="$VERSION" PREFIX=/usr DESTDIR=/out install \
 && strip /out/usr/sbin/smarthost

FROM debian:trixie-slim
COPY --from=build /out/usr/sbin/smarthost /usr/sbin/
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/
# A permitted capability is used where the container may have it; an effective
# one (+ep) would keep the program from starting where it may not.
RUN export DEBIAN_FRONTEND=noninteractive \
 && apt-get -qq update \
 && apt-get -qq -y --no-install-recommends install ca-certificates libcap2-bin \
      libcrypt1 libmicrohttpd12t64 libunbound8 liburing2 libyaml-0-2 \
 && setcap cap_net_bind_service=p /usr/sbin/smarthost \
 && apt-get -qq -y purge --autoremove libcap2-bin \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* \
 && useradd --system --uid 587 --user-group --home-dir /nonexistent \
      --shell /usr/sbin/nologin smarthost \
 && install -d /etc/smarthost \
 && install -d -o smarthost -g smarthost -m 700 \
      /var/spool/smarthost /var/spool/postfix

ENV APP_CONF=/etc/smarthost
# A number, so that Kubernetes' runAsNonRoot can see that it is not root.
USER 587:587
WORKDIR /
VOLUME /var/spool/smarthost
EXPOSE 587 586 465
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
  CMD ["smarthost", "health"]
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["run"]
