/* Misuse: an application relies on nanopb's names, which our headers must not bring in.
 * Expect: unknown type name 'pb_ostream_t' */
#include <ferrule/ferrule.h>

#ifndef MISUSE
/* So the name is free for the application's own. */
typedef int pb_ostream_t;
#endif

extern pb_ostream_t stream;
