/* Ferrule: the one header that uses compiler extensions, each with a fallback. */
#ifndef FERRULE_ATTRIBUTES_H
#define FERRULE_ATTRIBUTES_H

#if defined(__GNUC__) || defined(__clang__)
/* The caller must look at the value: every function that returns a status carries it. */
#define FER_MUST_USE __attribute__((warn_unused_result))
/* An object of this type may be read and written through other types. Arena storage needs it:
 * without it, gcc -O2 -flto reorders accesses to what was carved from the storage. */
#define FER_MAY_ALIAS __attribute__((may_alias))
/* Arguments (by number, from 1) that must not be null. */
#define FER_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
/* Keep this function out of line, so that a rarely taken path costs no stack in a hot one. */
#define FER_COLD __attribute__((noinline, cold))
#ifdef __OPTIMIZE_SIZE__
/* Both trade size for speed: where size is asked for, the compiler decides. */
#define FER_OUT_OF_LINE
#define FER_INLINE inline
/* Whether code that is there for its speed only is worth its size. */
#define FER_FAST 0
#else
/* Keep it out of line though it is not rare: its callers then save no registers for it. */
#define FER_OUT_OF_LINE __attribute__((noinline))
/* Inline whatever its size: one hot path with two entries. */
#define FER_INLINE inline __attribute__((always_inline))
#define FER_FAST 1
#endif
/* This condition is expected; only speed depends on it. */
#define FER_LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define FER_MUST_USE
#define FER_MAY_ALIAS
#define FER_NONNULL(...)
#define FER_COLD
#define FER_OUT_OF_LINE
#define FER_INLINE inline
#define FER_FAST 1
#define FER_LIKELY(x) (x)
#endif

/* Clang's thread-safety analysis (-Wthread-safety): what is guarded, and which functions take, give
 * or need its guard. Other compilers ignore it. */
#if defined(__clang__)
#define FER_CAPABILITY(name) __attribute__((capability(name)))
#define FER_GUARDED_BY(guard) __attribute__((guarded_by(guard)))
#define FER_ACQUIRES(guard) __attribute__((acquire_capability(guard)))
#define FER_RELEASES(guard) __attribute__((release_capability(guard)))
/* The body takes or gives what no analysis can see, or has the object to itself. */
#define FER_NOT_ANALYSED __attribute__((no_thread_safety_analysis))
#else
#define FER_CAPABILITY(name)
#define FER_GUARDED_BY(guard)
#define FER_ACQUIRES(guard)
#define FER_RELEASES(guard)
#define FER_NOT_ANALYSED
#endif

/* A condition that must hold at compile time; C11 and C++ spell it differently. */
#ifdef __cplusplus
#define FER_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define FER_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#endif
