# fecnn with its kernels compiled:
#   docker build -t fecnn .
#   docker run --rm -v "$PWD:/work" fecnn run optimal-hamming-7-4 --quick
# Machine code fits the CPU that compiled it: build the image on the kind of machine that runs it, or the
# first run there compiles again.
FROM python:3.13-slim AS build
COPY . /fecnn
RUN pip wheel --no-deps --wheel-dir /dist /fecnn

FROM python:3.13-slim
RUN pip install --no-cache-dir torch --index-url https://download.pytorch.org/whl/cpu
COPY --from=build /dist /dist
RUN pip install --no-cache-dir "$(ls /dist/*.whl)[all]"
# Numba uses a cache only where it may write, and the user of `docker run --user` is not root.
ENV NUMBA_CACHE_DIR=/var/cache/fecnn
# Decoders; then what a study takes besides them.
RUN fecnn warm-up && fecnn warm-up optimal-hamming-7-4 && chmod -R a+rwX /var/cache/fecnn
WORKDIR /work
ENTRYPOINT ["fecnn"]
