/* Proof: frame. Encoding and decoding below the handle: no run-time error, never past the stated
 * size or the capacity, every byte of input consumed or a frame found (TOTAL). The contracts stand
 * with the code; load_word and store_word, a memcpy each, are taken at their contracts.
 *
 * Proves: copy_run,fer_frame_write,count,take_run,take,is_good,restart,decode
 */
#include "../src/frame.c"
