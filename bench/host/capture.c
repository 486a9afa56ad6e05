/* Bench: a capture for the gateway to ingest.
 *     capture BLOB COUNT >FILE
 * seals that many readings of one device, one a record, and writes them as a stream of frames. */
#include <stdio.h>
#include <stdlib.h>

#include "ferrule/ferrule.h"

enum { TEXT_MAX = 64, RECORD_MAX = TEXT_MAX + FER_OVERHEAD_MAX };

FER_ARENA(arena, FER_SEALER_SIZE);

static bool start(const char *path, fer_sealer **sealer)
{
    const fer_sealer_config config = {
        .direction = FER_UP, .lane = FER_LANE_LIVE, .way = FER_ONE_WAY};
    uint8_t blob[FER_CREDENTIAL_BYTES];
    fer_credential credential;
    fer_generation generation;
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return false;
    }
    const bool whole = fread(blob, 1, sizeof blob, file) == sizeof blob;
    (void)fclose(file);
    return whole && fer_credential_parse(blob, sizeof blob, &credential) == FER_OK &&
           fer_keychain_expand(&credential, &generation) == FER_OK &&
           fer_sealer_create(&arena, &generation, &config, sealer) == FER_OK;
}

static bool write_one(fer_sealer *sealer, unsigned long number)
{
    const fer_reading reading = {
        .series = 1, .time_ms = 1700000000000 + (int64_t)number, .value = (double)number};
    fer_queued_reading queued;
    const fer_reading_ring ring = {&queued, 1, 0, 1};
    uint8_t text[TEXT_MAX];
    uint8_t record[RECORD_MAX];
    uint8_t frame[FER_FRAME_SIZE(RECORD_MAX)];
    size_t taken;
    size_t n;

    return fer_reading_pack(&reading, FER_TIME_UNIX, &queued) == FER_OK &&
           fer_telemetry_encode_readings(&ring, text, sizeof text, &taken, &n) == FER_OK &&
           fer_sealer_seal(sealer, text, n, record, sizeof record, &n) == FER_OK &&
           fer_frame_encode(record, n, frame, sizeof frame, &n) == FER_OK &&
           fwrite(frame, 1, n, stdout) == n;
}

int main(int argc, char **argv)
{
    fer_sealer *sealer = NULL;
    const unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    bool good = count > 0 && start(argv[1], &sealer);

    for (unsigned long i = 0; good && i < count; i++) {
        good = write_one(sealer, i);
    }
    fer_sealer_close(&sealer);
    if (!good || fflush(stdout) != 0) {
        (void)fprintf(stderr, "capture: it cannot be made\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
