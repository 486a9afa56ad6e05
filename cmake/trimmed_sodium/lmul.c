/* 64-bit multiplication without a branch, for cores that have no long multiply (ARMv6-M, ARMv8-M
 * baseline). There libgcc's __aeabi_lmul branches on its operands, so that the time of X25519 depends
 * on the secret (CONSTANT). This one stands ahead of libgcc in the link: it is never compiled for
 * link-time optimisation, which would think it unused, and the linker is told to ask for it. */
#include <stdint.h>

#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
uint64_t __aeabi_lmul(uint64_t a, uint64_t b);

uint64_t __aeabi_lmul(uint64_t a, uint64_t b)
{
    uint32_t a_low = (uint32_t)a;
    uint32_t b_low = (uint32_t)b;
    uint32_t a0 = a_low & 0xFFFFu;
    uint32_t a1 = a_low >> 16;
    uint32_t b0 = b_low & 0xFFFFu;
    uint32_t b1 = b_low >> 16;
    uint32_t low = a0 * b0;
    uint32_t middle = a1 * b0 + (low >> 16); /* no overflow: at most 2^32 - 2^16 */
    uint32_t rest = a0 * b1 + (middle & 0xFFFFu);
    uint32_t high = a1 * b1 + (middle >> 16) + (rest >> 16);

    high += a_low * (uint32_t)(b >> 32) + (uint32_t)(a >> 32) * b_low;
    return (uint64_t)high << 32 | (rest << 16 | (low & 0xFFFFu));
}
#else
typedef int ferrule_lmul_is_not_needed;
#endif
