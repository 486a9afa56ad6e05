/* Ferrule: poison (floor 0). Under AddressSanitizer, memory that nobody may touch is marked, so
 * that a use of a closed handle or of arena that was never carved stops the program with a report.
 * Without it, both macros are nothing. Addresses are multiples of FER_ARENA_ALIGN. */
#ifndef FERRULE_INTERNAL_POISON_H
#define FERRULE_INTERNAL_POISON_H

#if defined(__SANITIZE_ADDRESS__)
#define FER_POISON_ON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FER_POISON_ON 1
#endif
#endif

#ifdef FER_POISON_ON
#include <sanitizer/asan_interface.h>
#define FER_POISON(bytes, n) __asan_poison_memory_region((bytes), (n))
#define FER_UNPOISON(bytes, n) __asan_unpoison_memory_region((bytes), (n))
#else
#define FER_POISON(bytes, n) ((void)(bytes), (void)(n))
#define FER_UNPOISON(bytes, n) ((void)(bytes), (void)(n))
#endif

#endif
