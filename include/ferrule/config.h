/* Ferrule: configuration macros, and the link-time tag that ties an application to them.
 *
 * The library and everything that includes its headers must agree on these macros, because the
 * FER_…_SIZE constants follow from them. The macros spell the name of one symbol, which FER_ARENA
 * and fer_arena_init refer to: an application built with other values does not link. */
#ifndef FERRULE_CONFIG_H
#define FERRULE_CONFIG_H

/* The version of the library (semantic versioning). */
#define FER_VERSION_MAJOR 0
#define FER_VERSION_MINOR 1
#define FER_VERSION_PATCH 0

/* Longest identity in bytes. 32 is what the stored format has room for. */
#define FER_IDENTITY_MAX 32

/* Longest route in bytes (two header bits choose 0, 2, 4 or 8). */
#define FER_ROUTE_MAX 8

/* Bits of the replay window a device keeps for downlink: a power of two, 64 to 8192. */
#ifndef FER_CONFIG_DEVICE_WINDOW
#define FER_CONFIG_DEVICE_WINDOW 64
#endif
#if FER_CONFIG_DEVICE_WINDOW < 64 || FER_CONFIG_DEVICE_WINDOW > 8192 || \
    (FER_CONFIG_DEVICE_WINDOW & (FER_CONFIG_DEVICE_WINDOW - 1)) != 0
#error "FER_CONFIG_DEVICE_WINDOW must be a power of two from 64 to 8192"
#endif

/* The name of the configuration tag, from its layout version and the macros above. */
#define FER_CONFIG_PASTE_(version, window) fer_config_v##version##_w##window
#define FER_CONFIG_PASTE(version, window) FER_CONFIG_PASTE_(version, window)
/* The tag of this configuration: its address is what an arena is told, its name is what must link.
 */
#define FER_CONFIG_TAG FER_CONFIG_PASTE(1, FER_CONFIG_DEVICE_WINDOW)

#ifdef __cplusplus
extern "C" {
#endif
/* Defined by the library, under the name that its own configuration spells. */
extern const unsigned char FER_CONFIG_TAG;
#ifdef __cplusplus
}
#endif

#endif
