/* Proof: frame. Encoding and decoding below the handle: no run-time error, never past the stated
 * size or the capacity, no zero within an encoded frame, every byte of input consumed or a frame
 * found (TOTAL). The contracts stand with the code.
 *
 * Proves: encode,count,take_run,take,is_good,restart,decode
 */
#include "../src/frame.c"
