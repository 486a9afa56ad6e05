/* Ferrule: sealed, fresh, ordered and small device telemetry. This header includes them all. */
#ifndef FERRULE_FERRULE_H
#define FERRULE_FERRULE_H

#include "ferrule/arena.h"
#include "ferrule/config.h"
#include "ferrule/credential.h"
#include "ferrule/device.h"
#include "ferrule/enrolee.h"
#include "ferrule/entropy.h"
#include "ferrule/frame.h"
#include "ferrule/gateway.h"
#include "ferrule/greeter.h"
#include "ferrule/greeting.h"
#include "ferrule/handshake.h"
#include "ferrule/keychain.h"
#include "ferrule/lifetime.h"
#include "ferrule/port.h"
#include "ferrule/provision.h"
#include "ferrule/record.h"
#include "ferrule/replay.h"
#include "ferrule/responder.h"
#include "ferrule/status.h"
#include "ferrule/store.h"
#include "ferrule/telemetry.h"

#endif
