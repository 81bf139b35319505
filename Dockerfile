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
# What only builds and installs stays behind; `pip check` says if anything else needed it.
RUN /opt/reconciler/bin/pip install --no-deps --no-build-isolation . \
    && /opt/reconciler/bin/pip uninstall --yes editables hatchling pathspec pluggy tomlkit trove-classifiers \
    && /opt/reconciler/bin/pip check \
    && /opt/reconciler/bin/pip uninstall --yes pip setuptools


FROM python:3.11-slim-bookworm

# git and ssh read the desired repository, gpg and ssh verify signatures, tini takes in what processes that ended left
# behind. Debian removes old versions from its mirrors, so a pinned one would stop building; security fixes are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git gpg openssh-client tini \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 reconciler \
    && useradd --uid 10001 --gid reconciler --create-home --shell /usr/sbin/nologin reconciler \
    && install --directory --owner reconciler --group reconciler /var/lib/reconciler /var/lib/reconciler/state \
    # A repository that is mounted here is meant, whoever owns it outside.
    && git config --system safe.directory '*'

COPY --from=build /opt/reconciler /opt/reconciler
# Outside of a container only what is published of it can be reached; from there reading needs a token.
ENV PATH=/opt/reconciler/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 RECONCILER_API__LISTEN=0.0.0.0:8080

# `reconciler.yaml` is looked for here, and `state` is where the database, the mirror and the releases are.
WORKDIR /var/lib/reconciler
VOLUME ["/var/lib/reconciler/state"]
USER 10001:10001
EXPOSE 8080

# Whether it answers and its store does; without HTTP, whether the daemon lives. What is wrong with the repository is no
# reason to start it anew.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["reconciler", "health"]

# TERM lets running deployments end (`drain`, 30 s by default): give it a little longer than that.
STOPSIGNAL SIGTERM

ENTRYPOINT ["tini", "--", "reconciler"]
CMD ["run"]
