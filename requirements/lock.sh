#!/bin/sh
# Renews requirements/*.txt: every package pinned, with the hashes of all its files, for every supported Python and
# both architectures; no index address is written. dev.txt is solved first and binds the others to the same versions.
set -eu
uv=$1
lock() {
    out=$1; shift
    "$uv" pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-emit-find-links --quiet --upgrade --output-file "$out" "$@"
    echo "$out"
}
lock requirements/dev.txt --extra dev
lock requirements/demo.txt --extra edge --extra center --extra build --constraint requirements/dev.txt
lock requirements/edge.txt --extra edge --extra build --constraint requirements/dev.txt
lock requirements/center.txt --extra center --extra build --constraint requirements/dev.txt

# The bench's peer lives in an environment of its own and is installed with --no-deps: it names an OpenCV wheel that needs
# a desktop, a client of its maker's servers, and gigabytes of graphics libraries. None of them is needed to run it.
unneeded="opencv-python ultralytics-platform anyio h11 httpcore httpx nvidia-ml-py triton cuda-bindings cuda-pathfinder
    cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft
    nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink
    nvidia-nvshmem-cu13 nvidia-nvtx"
# shellcheck disable=SC2046
lock requirements/peer.txt --extra bench --constraint requirements/dev.txt \
    $(for name in $unneeded; do echo "--no-emit-package $name"; done)
# Of torch only builds for processors are accepted: for x86-64 the one that lies beside the registry, to be given to pip in
# its own configuration (torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl), for aarch64 the registry's.
awk '
    /^torch==2\.13\.0 / {
        print
        print "    --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b \\"
        print "    --hash=sha256:092790c696a760c729fd5722835f50b9d81fd7c8f141571f3f3cf4081a8f664c \\"
        print "    --hash=sha256:572df8be8ffb4599c88cbd6a0726f1f854f4da65d2e3c09f0e2c2283333cd6d4 \\"
        print "    --hash=sha256:1e09d6a722504957c694faceca843acde562786df1144ebcc5a74075ec7f6005"
        skipping = 1
        next
    }
    skipping && /^    --hash/ { next }
    { skipping = 0; print }
' requirements/peer.txt >requirements/peer.txt.new
mv requirements/peer.txt.new requirements/peer.txt
