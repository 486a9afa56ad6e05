/* Ferrule: handshake patterns, as in Noise revision 34, sections 7.4 and 7.5. Each is an object of
 * its own, so that a program links those it names. */
#include "internal/handshake.h"

#define E FER_TOKEN_E
#define S FER_TOKEN_S
#define EE FER_TOKEN_EE
#define ES FER_TOKEN_ES
#define SE FER_TOKEN_SE
#define SS FER_TOKEN_SS
#define END FER_TOKEN_END

/* Whose static key: initiator's, responder's, both, nobody's. */
enum { NOBODY = 0, I = 1u << FER_INITIATOR, R = 1u << FER_RESPONDER, BOTH = I | R };

/* clang-format off */
const fer_pattern fer_pattern_n  = {"N",  R,      NOBODY, 1, 1, {E, ES, END}};
const fer_pattern fer_pattern_k  = {"K",  BOTH,   NOBODY, 1, 1, {E, ES, SS, END}};
const fer_pattern fer_pattern_x  = {"X",  R,      I,      1, 1, {E, ES, S, SS, END}};

const fer_pattern fer_pattern_nn = {"NN", NOBODY, NOBODY, 0, 2, {E, END,           E, EE, END}};
const fer_pattern fer_pattern_nk = {"NK", R,      NOBODY, 0, 2, {E, ES, END,       E, EE, END}};
const fer_pattern fer_pattern_nx = {"NX", NOBODY, R,      0, 2, {E, END,           E, EE, S, ES, END}};
const fer_pattern fer_pattern_kn = {"KN", I,      NOBODY, 0, 2, {E, END,           E, EE, SE, END}};
const fer_pattern fer_pattern_kk = {"KK", BOTH,   NOBODY, 0, 2, {E, ES, SS, END,   E, EE, SE, END}};
const fer_pattern fer_pattern_kx = {"KX", I,      R,      0, 2, {E, END,           E, EE, SE, S, ES, END}};
const fer_pattern fer_pattern_in = {"IN", NOBODY, I,      0, 2, {E, S, END,        E, EE, SE, END}};
const fer_pattern fer_pattern_ik = {"IK", R,      I,      0, 2, {E, ES, S, SS, END, E, EE, SE, END}};
const fer_pattern fer_pattern_ix = {"IX", NOBODY, BOTH,   0, 2, {E, S, END,        E, EE, SE, S, ES, END}};
const fer_pattern fer_pattern_xn = {"XN", NOBODY, I,      0, 3, {E, END,           E, EE, END,        S, SE, END}};
const fer_pattern fer_pattern_xk = {"XK", R,      I,      0, 3, {E, ES, END,       E, EE, END,        S, SE, END}};
const fer_pattern fer_pattern_xx = {"XX", NOBODY, BOTH,   0, 3, {E, END,           E, EE, S, ES, END, S, SE, END}};
/* clang-format on */
