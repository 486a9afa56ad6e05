# What Ferrule is compiled of, in plain lists, one name per line and relative to this repository: for
# CMakeLists.txt here, and for build systems that compile Ferrule themselves, as the Makefile of
# tests/interop/outside/make does. scripts/check-sources holds the lists of sources equal to the tree.

# Include folders of applications; and, besides, of the library itself, which needs nanopb's and
# libsodium's headers too.
set(FERRULE_INCLUDE_DIRS
  include
)
set(FERRULE_PRIVATE_INCLUDE_DIRS
  src
)

# Every source file of the library. Another crypto backend takes the place of src/crypto/crypto_*.c.
set(FERRULE_SOURCES
  src/arena.c
  src/bytes.c
  src/credential.c
  src/crypto/crypto_curve.c
  src/crypto/crypto_sodium.c
  src/crypto/schedule.c
  src/device.c
  src/device_command.c
  src/device_feed.c
  src/device_queue.c
  src/device_session.c
  src/device_sleep.c
  src/device_take.c
  src/enrolee.c
  src/entropy.c
  src/frame.c
  src/gateway.c
  src/gateway_keys.c
  src/gateway_receive.c
  src/gateway_windows.c
  src/greeter.c
  src/greeting.c
  src/handshake.c
  src/handshake_message.c
  src/handshake_patterns.c
  src/handshake_session.c
  src/keychain.c
  src/opener.c
  src/proto/scan.c
  src/proto/telemetry.pb.c
  src/provision.c
  src/record.c
  src/replay.c
  src/responder.c
  src/responder_greet.c
  src/sealer.c
  src/snapshot.c
  src/status.c
  src/store.c
  src/store_maintain.c
  src/store_medium.c
  src/store_mirror.c
  src/store_recover.c
  src/store_ring.c
  src/telemetry_command.c
  src/telemetry_decode.c
  src/telemetry_encode.c
)

# The conformance kit for nv drivers (include/ferrule/conformance.h), which is no part of the library.
set(FERRULE_CONFORMANCE_SOURCES
  ports/conformance/chain.c
  ports/conformance/cuts.c
  ports/conformance/driver.c
  ports/conformance/geometry.c
  ports/conformance/kit.c
  ports/conformance/life.c
  ports/conformance/power.c
  ports/conformance/refusals.c
  ports/conformance/rules.c
  ports/conformance/start.c
)

# For targets that have no libsodium: the few files of the pinned archive, below its src/libsodium …
set(FERRULE_TRIMMED_SODIUM_UPSTREAM
  crypto_auth/hmacsha256/auth_hmacsha256.c
  crypto_core/ed25519/ref10/ed25519_ref10.c
  crypto_hash/sha256/cp/hash_sha256_cp.c
  crypto_hash/sha256/hash_sha256.c
  crypto_verify/sodium/verify.c
)
# … what stands in for the rest (lmul.c must be compiled without -flto; chacha20.c is smaller and faster
# with -O2 -fno-schedule-insns) …
set(FERRULE_TRIMMED_SODIUM_SOURCES
  cmake/trimmed_sodium/aead.c
  cmake/trimmed_sodium/chacha20.c
  cmake/trimmed_sodium/lmul.c
  cmake/trimmed_sodium/misuse.c
  cmake/trimmed_sodium/utils.c
  cmake/trimmed_sodium/wipe.c
  cmake/trimmed_sodium/x25519.c
)
# … and with what it is compiled, besides NATIVE_LITTLE_ENDIAN=1 or NATIVE_BIG_ENDIAN=1. The library
# takes SODIUM_STATIC=1 and FERRULE_CRYPTO_BARE=1 then. sodium/version.h is made of version.h.in.
set(FERRULE_TRIMMED_SODIUM_DEFINITIONS
  CONFIGURED=1
  HAVE_C_VARARRAYS=1
  HAVE_EXPLICIT_MEMSET=1
  HAVE_INLINE_ASM=1
  HAVE_WEAK_SYMBOLS=1
  MINIMAL=1
  NDEBUG
  SODIUM_STATIC=1
)
