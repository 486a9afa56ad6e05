# Every source file of the library, one per line: for CMakeLists.txt here, and for build systems that
# compile Ferrule themselves (see tests/interop/outside/make). They need -Iinclude -Isrc, nanopb and
# libsodium on the include path. scripts/check-sources holds the list equal to the tree.
set(FERRULE_SOURCES
  src/arena.c
  src/bytes.c
  src/credential.c
  src/crypto/crypto_sodium.c
  src/crypto/schedule.c
  src/device.c
  src/device_feed.c
  src/device_queue.c
  src/device_sleep.c
  src/device_take.c
  src/frame.c
  src/gateway.c
  src/gateway_keys.c
  src/gateway_receive.c
  src/gateway_windows.c
  src/keychain.c
  src/opener.c
  src/proto/scan.c
  src/proto/telemetry.pb.c
  src/record.c
  src/replay.c
  src/sealer.c
  src/snapshot.c
  src/status.c
  src/store.c
  src/store_medium.c
  src/store_recover.c
  src/telemetry_decode.c
  src/telemetry_encode.c
)
