/* Enrolment of the example: the device's end of `ferrule enroll`. */
#ifndef POSIX_DEVICE_ENROL_H
#define POSIX_DEVICE_ENROL_H

#include <stdbool.h>

#include "install.h"

struct enrol {
    const char *key_file;     /* the device's static key; made where there is none */
    const char *gateway_file; /* where the gateway's public key is kept */
    const char *expect;       /* the gateway's fingerprint; null: somebody is asked */
    const struct install *install;
};

/* Before anybody is at the other end: makes the key if need be, and shows its fingerprint. */
bool enrol_prepare(const struct enrol *want);

/* Listens on a unix socket until one has connected. -1: it said why. */
int enrol_listen(const char *path);

/* Enrols over a stream; no approval is asked for before the gateway has answered. False: it said
 * why. */
bool enrol_over(int fd, const struct enrol *want);

#endif
