/* The sensor of boards that have one line, and that taken by the link: every quarter of a second it
 * sends the frame that example 02 expects of a sensor. The n-th since the start, from 0, is of series
 * 1, has the time 2025-01-01 00:00:00 UTC + n seconds, and the value n mod 100. */
#ifndef FERRULE_PATTERN_H
#define FERRULE_PATTERN_H

/* The board's timer calls it every millisecond, in its interrupt. */
void pattern_tick(void);

#endif
