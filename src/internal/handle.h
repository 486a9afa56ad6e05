/* Ferrule: handle tags (floor 0). The first member of every handle is tied to the handle's own
 * address and type, and checked at every public entry: a closed, copied, corrupt or mistyped
 * handle answers FER_ERR_HANDLE instead of working on the wrong memory. Never compiled out. */
#ifndef FERRULE_INTERNAL_HANDLE_H
#define FERRULE_INTERNAL_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

typedef uintptr_t fer_tag;

/* One odd constant for each type of handle: odd, so that no aligned pointer to itself is a tag; of
 * one byte, so that Thumb loads it with its short instruction. */
enum {
    FER_TAG_FRAME_DECODER = 0xC1,
    FER_TAG_REPLAY = 0xA3,
    FER_TAG_GENERATION = 0xE5,
    FER_TAG_STORE = 0x97,
    FER_TAG_SEALER = 0x59,
    FER_TAG_OPENER = 0x6B,
    FER_TAG_DEVICE = 0x2D,
    FER_TAG_GATEWAY = 0x1F,
    FER_TAG_HANDSHAKE = 0xB7,
    FER_TAG_RESPONDER = 0xD3,
    FER_TAG_GREETER = 0x8B,
    FER_TAG_ENTROPY_TEST = 0x35,
    FER_TAG_ENROLEE = 0x75
};

static inline fer_tag fer_tag_make(const void *handle, unsigned type)
{
    return (uintptr_t)handle ^ (uintptr_t)type;
}

/* `tag` is the handle's first member, so that handle and &handle->tag are one address. */
static inline bool fer_tag_is(const fer_tag *tag, unsigned type)
{
    return tag != 0 && *tag == fer_tag_make(tag, type);
}

#endif
