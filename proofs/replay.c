/* Proof: replay. The window without its handle: no run-time error, check and mark agree, a number
 * is accepted only if newer than top - W, and at most once (ONCE). The contracts stand with the
 * code.
 *
 * Proves: fer_window_bits_are_valid,fer_window_check,forget,skip,fer_window_mark
 */
#include "../src/replay.c"
