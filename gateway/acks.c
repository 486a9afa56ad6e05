/* Ferrule gateway: receipts. A full-form record asks to be answered; once it is stored, its device
 * gets a sealed receipt and may go on in the short form. */
#include <string.h>

#include "ferrule/telemetry.h"
#include "server.h"

#define ACK_EVERY_MS 250

void acks_note(struct server *server, struct device *device, const struct accepted *record,
               const struct origin *origin)
{
    if (!server->options.acks || !device->registered.acks || !origin->answers ||
        record->opened.form != FER_FORM_FULL || record->opened.lane != FER_LANE_LIVE) {
        return;
    }
    device->ack.due = true;
    device->ack.link = origin->link_id;
    device->ack.address_length = 0;
    if (origin->address != NULL && origin->address_length <= sizeof device->ack.address) {
        memcpy(&device->ack.address, origin->address, origin->address_length);
        device->ack.address_length = origin->address_length;
    }
}

static bool send_one(struct server *server, struct device *device)
{
    uint8_t plaintext[64];
    uint8_t record[sizeof plaintext + FER_OVERHEAD_MAX];
    size_t n = 0;
    size_t length = 0;
    const struct reference newest = sessions_reference(device);
    const fer_receipt receipt = {.generation = newest.generation, .sequence = newest.sequence};
    fer_status status = fer_telemetry_encode_receipt(&receipt, plaintext, sizeof plaintext, &n);
    if (status == FER_OK) {
        status = sessions_seal(&server->sessions, &server->contexts, device, plaintext, n, record,
                               sizeof record, &length);
    }
    if (status != FER_OK) {
        SAY("device %s: no receipt: %s", device->registered.id, fer_status_text(status));
        return false;
    }
    return links_send(server, &device->ack, record, length);
}

void acks_send(struct server *server)
{
    const int64_t now = server_monotonic_ms();
    for (const struct accepted *record = server->queue; record != NULL; record = record->next) {
        struct device *device = record->device;
        if (!device->ack.due) {
            continue;
        }
        device->ack.due = false;
        if (device->open && now >= device->ack.not_before_ms && send_one(server, device)) {
            device->ack.not_before_ms = now + ACK_EVERY_MS;
            server->counters.acks_sent++;
        } else {
            server->counters.acks_held++;
        }
    }
}
