# Two stages: the first holds what is needed to build, the second only what runs.
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/reconciler
WORKDIR /build

# The lock alone first: this layer is kept as long as no dependency changes.
COPY requirements.lock ./
RUN /opt/reconciler/bin/pip install --require-hashes --requirement requirements.lock

COPY pyproject.toml LICENSE ./
COPY reconciler reconciler
RUN /opt/reconciler/bin/pip install --no-deps --no-build-isolation .


FROM python:3.11-slim-bookworm

# git and ssh read the desired repository, gnupg and ssh verify signatures. Debian removes old versions from its
# mirrors, so a pinned one would stop building; security fixes are wanted here.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git gnupg openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 reconciler \
    && useradd --uid 10001 --gid reconciler --create-home --shell /usr/sbin/nologin reconciler \
    && install --directory --owner reconciler --group reconciler /var/lib/reconciler /var/lib/reconciler/state

COPY --from=build /opt/reconciler /opt/reconciler
ENV PATH=/opt/reconciler/bin:$PATH PYTHONUNBUFFERED=1

# `reconciler.yaml` is looked for here, and `state` is where the database, the mirror and the releases are.
WORKDIR /var/lib/reconciler
VOLUME ["/var/lib/reconciler/state"]
USER 10001:10001

HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["reconciler", "doctor"]

ENTRYPOINT ["reconciler"]
CMD ["run"]
