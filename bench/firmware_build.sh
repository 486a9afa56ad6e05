# Sourced by the figures that need a bare Cortex-M: configures and builds one bench target.
#     firmware_build CORE TARGET   -> prints the path of the executable; its map lies beside it
firmware_build() {
    local top tree log board
    case $1 in # the board that stands for the core
    cortex-m0) board=microbit ;;
    cortex-m3) board=mps2-an385 ;;
    cortex-m4) board=mps2-an386 ;;
    cortex-m7) board=mps2-an500 ;;
    cortex-m33) board=mps2-an505 ;;
    *) echo "firmware_build: no board for $1" >&2 && return 1 ;;
    esac
    top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    tree=$top/build/figures-$1
    log=$tree.log
    mkdir -p "$top/build"
    { cmake -S "$top" -B "$tree" -G Ninja -DCMAKE_BUILD_TYPE=MinSizeRel \
        --toolchain "$top/cmake/toolchain-arm-none-eabi.cmake" -DFERRULE_BOARD="$board" \
        -DFERRULE_DEPS_DIR="${FERRULE_DEPS_DIR:-$top/.deps}" -DFERRULE_LTO=ON -DCMAKE_C_FLAGS_MINSIZEREL="-Os -g -DNDEBUG" \
        -DFERRULE_TESTS=OFF -DFERRULE_EXAMPLES=OFF &&
        cmake --build "$tree" --target "$2"; } >"$log" 2>&1 ||
        { tail -n 20 "$log" >&2; return 1; }
    find "$tree/bench" -type f -name "$2" -perm -u+x
}

# Runs a target on the emulated Cortex-M3, or another core and the machine that has it, counting
# instructions.
#     firmware_run TARGET [CPU MACHINE]
firmware_run() {
    local program
    program=$(firmware_build "${2:-cortex-m3}" "$1")
    # QEMU prints what the firmware says on its standard error.
    timeout 120 qemu-system-arm -M "${3:-mps2-an385}" -icount shift=6 -display none -monitor none \
        -serial null -semihosting-config enable=on,target=native -kernel "$program" 2>&1
}
