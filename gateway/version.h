/* Ferrule gateway: what --version prints. */
#ifndef FERRULE_GATEWAY_VERSION_H
#define FERRULE_GATEWAY_VERSION_H

#include "ferrule/config.h"

#define VERSION_TEXT_(n) #n
#define VERSION_TEXT(n) VERSION_TEXT_(n)
#define FERRULE_VERSION_TEXT        \
    VERSION_TEXT(FER_VERSION_MAJOR) \
    "." VERSION_TEXT(FER_VERSION_MINOR) "." VERSION_TEXT(FER_VERSION_PATCH)

#endif
