# The bot in a container. No secret is needed to build it; every setting comes when it is run:
#   docker build -t codeship-bot .
#   docker run --env-file .env --volume codeship-bot:/data codeship-bot
#
# The tag below names one release. For the same bytes at every build, name its digest (docs/decisions.md):
#   docker build --build-arg BASE=python:3.13.9-slim-bookworm@sha256:… -t codeship-bot .
ARG BASE=python:3.13.9-slim-bookworm

FROM ${BASE} AS packages
RUN ["python", "-m", "venv", "/venv"]
COPY requirements.txt /tmp/requirements.txt
# Only what the lock names, with the hashes that it names, and nothing that would have to be compiled.
RUN ["/venv/bin/python", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", \
     "--require-hashes", "--only-binary", ":all:", "-r", "/tmp/requirements.txt"]
COPY bot /app/bot
RUN ["/venv/bin/python", "-m", "compileall", "-q", "/app/bot"]
# A running bot installs nothing.
RUN ["/venv/bin/python", "-m", "pip", "uninstall", "--yes", "--quiet", "pip"]

FROM ${BASE}
RUN groupadd --gid 10001 bot \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin bot \
    && install --directory --owner=bot --group=bot /data
COPY --from=packages /venv /venv
COPY --from=packages /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/codeship-bot.sqlite3 \
    PORT=3000
VOLUME /data
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
# PORT is set above, so /healthz answers in Socket Mode as it does over HTTP.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:%s/healthz' % (os.environ.get('PORT') or 3000), timeout=4)"]
CMD ["python", "-m", "bot"]
