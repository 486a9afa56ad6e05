/* Ferrule: port. What the library asks of the platform: five small tables, each with a context
 * pointer that is handed back untouched.
 *
 * A port includes this header only. Tables and contexts belong to the caller and must outlive
 * the handles that were given them; the structs that hold the pointers are copied.
 * No callback may call back into the handle that called it. None is called with a lock held. */
#ifndef FERRULE_PORT_H
#define FERRULE_PORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a port function answers. Any other negative value counts as FER_PORT_FAILED, any positive
 * value too: there are no short reads or writes, an operation is done whole or not at all (and
 * a failed program or erase may have changed any part of what it was asked to change). */
enum {
    FER_PORT_OK = 0,             /* done, as a whole */
    FER_PORT_FAILED = -1,        /* the operation failed; calling again may or may not help */
    FER_PORT_NOT_NOW = -2,       /* nothing was touched: supply low, bus busy; call later */
    FER_PORT_UNCORRECTABLE = -3, /* nv read only: error correction gave up; out is undefined */
    FER_PORT_UNKNOWN = -4        /* clock only: the time is not known yet */
};

/* ---- entropy ---------------------------------------------------------------------------- */

/* What a source of entropy does. */
struct fer_entropy_ops {
    /* Fills out with n bytes fit for keys. Never blocks for longer than the port documents;
     * answers FER_PORT_FAILED rather than weak bytes. May not be called from an ISR. */
    int (*fill)(void *context, uint8_t *out, size_t n);
};

/* Where keys and salts come from. */
typedef struct fer_entropy {
    const struct fer_entropy_ops *ops; /* null: there is none */
    void *context;                     /* handed back to it */
} fer_entropy;

/* ---- clock ------------------------------------------------------------------------------ */

/* What a clock does. */
struct fer_clock_ops {
    /* Milliseconds since an arbitrary start; never goes back until reset. Callable from the
     * contexts that call fer_device_record, interrupts included. */
    int (*monotonic_ms)(void *context, uint64_t *ms);
    /* Milliseconds since 1970-01-01 UTC. May be null: the device then stamps readings with its
     * monotonic time and says so. FER_PORT_UNKNOWN until the time has been set. */
    int (*unix_ms)(void *context, int64_t *ms);
};

/* What time it is. */
typedef struct fer_clock {
    const struct fer_clock_ops *ops; /* null: there is none */
    void *context;                   /* handed back to it */
} fer_clock;

/* ---- lock ------------------------------------------------------------------------------- */

/* Two hooks, both optional (null: the caller guarantees that nothing runs concurrently).
 * Never held over crypto, flash or a port call. */
struct fer_lock_ops {
    /* Masks the interrupts that call fer_device_record and returns the former state, which
     * unmask restores. Held for tens of instructions (bound in docs/PORTING.md). Must nest. */
    uintptr_t (*mask)(void *context);
    /* Restores what mask returned. */
    void (*unmask)(void *context, uintptr_t state);
    /* A mutex for handles that several tasks share. May block. */
    void (*take)(void *context);
    /* Releases it. */
    void (*give)(void *context);
};

/* How the parts of a program keep out of each other's way. */
typedef struct fer_lock {
    const struct fer_lock_ops *ops; /* null: there is none */
    void *context;                  /* handed back to it */
} fer_lock;

/* ---- non-volatile memory ---------------------------------------------------------------- */

/* Flags of fer_nv_geometry. */
enum {
    /* Programmed granules may be programmed again with zeros (with 0xFF where erased is 0x00):
     * NOR flash without ECC on the word, EEPROM, FRAM, files. */
    FER_NV_OVERWRITE = 1u << 0,
    /* Any byte may be programmed over any other; erase may be null. EEPROM, FRAM, files. */
    FER_NV_REWRITE = 1u << 1
};

/* How the memory is laid out. */
typedef struct fer_nv_geometry {
    uint32_t block_size;  /* bytes in an erase block; a multiple of granule */
    uint32_t block_count; /* blocks given to Ferrule, at least 2 */
    uint16_t granule;     /* bytes in the smallest program unit: 1 to 512, a power of two */
    uint8_t erased;       /* what erased bytes read as: 0x00 or 0xFF */
    uint8_t flags;        /* FER_NV_… */
} fer_nv_geometry;

/* Addresses are (block, offset in block). A call never crosses a block. Offsets and lengths of
 * program are multiples of the granule; those of read are not. */
struct fer_nv_ops {
    /* 0: out holds n bytes. Negative: see above; out is undefined. */
    int (*read)(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n);
    /* 0: the bytes are durable: a power cut after the return does not undo them. */
    int (*program)(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n);
    /* 0: the whole block durably reads as `erased`. May be null with FER_NV_REWRITE. */
    int (*erase)(void *context, uint32_t block);
    /* Optional (may be null): 1 if the range is erased with full margin, 0 if not, negative as
     * above. Without it the library reads and compares. */
    int (*is_blank)(void *context, uint32_t block, uint32_t offset, size_t n);
};

/* Where a device keeps its credential. */
typedef struct fer_nv {
    const struct fer_nv_ops *ops;    /* what it can do */
    const fer_nv_geometry *geometry; /* what it is */
    void *context;                   /* handed back to ops */
} fer_nv;

/* ---- monotonic counter ------------------------------------------------------------------ */

/* Optional: a number in hardware that nobody can turn back (a one-time-programmable counter, a
 * secure element, RPMB). It holds the lowest generation that may still be used, so that an old
 * image of the memory that is put back is refused. 0 at first. */
struct fer_counter_ops {
    /* 0: *value is what the counter stands at. */
    int (*read)(void *context, uint32_t *value);
    /* 0: the counter durably reads as at least `value`. To raise it to what it is, or to less, does
     * nothing and answers 0. Called once for each generation. */
    int (*raise)(void *context, uint32_t value);
};

/* A counter and its context. */
typedef struct fer_counter {
    const struct fer_counter_ops *ops; /* null: there is none */
    void *context;                     /* handed back to it */
} fer_counter;

#ifdef __cplusplus
}
#endif
#endif
