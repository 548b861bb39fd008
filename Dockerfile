# Lanyard as one image: `docker build -t lanyard .`
#
# To run it read-only, with its own data on a volume, and nothing it does not need:
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     --volume lanyard:/data --volume ./keys/lanyard.key:/run/secrets/lanyard.key:ro \
#     --env-file lanyard.env --publish 127.0.0.1:8000:8000 lanyard
# The key file belongs to user 10001 and is readable by nobody else (chown 10001, chmod 600).
#
# The base is pinned by tag. Pin it by digest as well (`docker buildx imagetools inspect` prints it) where the image
# is built for service: this repository was written where no image registry could be asked for one.
ARG PYTHON=python:3.13-slim-bookworm

# --- build: pages and wheel, by the locked Node and the locked back end; none of it reaches the image ---
FROM ${PYTHON} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

COPY requirements/ requirements/
RUN pip install --no-deps --only-binary=:all: --require-hashes -r requirements/build.txt

COPY tools/ tools/
COPY console/assets/package.json console/assets/package-lock.json console/assets/.npmrc console/assets/
RUN python -m tools.node npm ci --no-audit --no-fund --loglevel=error

# What runs: its own environment, so that the image needs neither pip nor a compiler.
RUN python -m venv /opt/lanyard \
 && /opt/lanyard/bin/pip install --no-deps --only-binary=:all: --require-hashes -r requirements/runtime.txt

COPY . .
RUN python -m tools.node build.mjs \
 && /opt/lanyard/bin/python -m lanyard knowledge vectors \
 && pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheels .
RUN /opt/lanyard/bin/pip install --no-deps --no-index /wheels/*.whl \
 && /opt/lanyard/bin/pip uninstall --yes pip

# --- the image: Python, the environment, an unprivileged user ---
FROM ${PYTHON}
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin lanyard \
 && install -d -o lanyard -g lanyard -m 0700 /data
COPY --from=build /opt/lanyard /opt/lanyard
# Nothing is written outside /data: no byte code, no log file.
ENV PATH=/opt/lanyard/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Inside a container every address is the container's own; what reaches it is decided by --publish. The key comes
# from outside, as a secret, and never lies beside the data that it opens.
ENV LANYARD_HOST=0.0.0.0 LANYARD_DATABASE=sqlite:////data/lanyard.db LANYARD_KEY_FILE=/run/secrets/lanyard.key
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# An answer at all, from this machine, within three seconds; Python asks, so that the image needs no curl.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["lanyard"]
CMD ["serve"]
