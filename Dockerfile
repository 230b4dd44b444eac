# The service: docker build --tag skinlesion . && see docs/deploying.md for how it is run.
# Step 1 installs the package and what serving takes into a folder of its own.
FROM python:3.13.1-slim-bookworm AS build
WORKDIR /build
# The pins of all versions; only what the extra `serve` needs is taken from them.
COPY requirements-dev.txt pyproject.toml ./
COPY src src
RUN sed -E '/^ /d; s/ *\\$//' requirements-dev.txt > pins.txt \
 && python -m venv /opt/skinlesion \
 && /opt/skinlesion/bin/pip install --no-cache-dir --constraint pins.txt '.[serve]'

# Step 2 has that folder, a user without rights, and nothing else.
FROM python:3.13.1-slim-bookworm
# LightGBM's threads.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1=12.2.0-14+deb12u1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/skinlesion /opt/skinlesion
ENV PATH=/opt/skinlesion/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
# The bundle is mounted at /bundle; the token, SKINLESION_TOKEN, is given where it is run.
ENTRYPOINT ["skinlesion", "serve", "/bundle", "--host", "0.0.0.0", "--port", "8000"]
