#include "esp_port.h"

#include "esp_random.h"
#include "esp_timer.h"

enum { GRANULE = 4, ERASED = 0xFF };

/* ---- flash -------------------------------------------------------------------------------- */

static bool is_inside(const esp_nv *nv, uint32_t block, uint32_t offset, size_t n)
{
    return block < nv->geometry.block_count && offset <= nv->geometry.block_size &&
           n <= nv->geometry.block_size - offset;
}

static size_t place(const esp_nv *nv, uint32_t block, uint32_t offset)
{
    return (size_t)block * nv->geometry.block_size + offset;
}

static int answer(esp_err_t error)
{
    return error == ESP_OK ? FER_PORT_OK : FER_PORT_FAILED;
}

static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const esp_nv *nv = context;

    return is_inside(nv, block, offset, n)
               ? answer(esp_partition_read(nv->partition, place(nv, block, offset), out, n))
               : FER_PORT_FAILED;
}

static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    const esp_nv *nv = context;

    return is_inside(nv, block, offset, n) && offset % GRANULE == 0 && n % GRANULE == 0
               ? answer(esp_partition_write(nv->partition, place(nv, block, offset), in, n))
               : FER_PORT_FAILED;
}

static int nv_erase(void *context, uint32_t block)
{
    const esp_nv *nv = context;

    return is_inside(nv, block, 0, nv->geometry.block_size)
               ? answer(esp_partition_erase_range(nv->partition, place(nv, block, 0),
                                                  nv->geometry.block_size))
               : FER_PORT_FAILED;
}

bool esp_nv_start(esp_nv *nv, const char *label, fer_nv *port)
{
    static const struct fer_nv_ops ops = {nv_read, nv_program, nv_erase, NULL};
    const esp_partition_t *found =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label);

    if (found == NULL || found->encrypted || found->erase_size == 0 ||
        found->size / found->erase_size < 2) {
        return false;
    }
    nv->partition = found;
    nv->geometry.block_size = found->erase_size;
    nv->geometry.block_count = found->size / found->erase_size;
    nv->geometry.granule = GRANULE;
    nv->geometry.erased = ERASED;
    nv->geometry.flags = FER_NV_OVERWRITE;
    port->ops = &ops;
    port->geometry = &nv->geometry;
    port->context = nv;
    return true;
}

/* ---- clock -------------------------------------------------------------------------------- */

static int monotonic_ms(void *context, uint64_t *ms)
{
    (void)context;
    *ms = (uint64_t)esp_timer_get_time() / 1000u;
    return FER_PORT_OK;
}

fer_clock esp_clock(void)
{
    static const struct fer_clock_ops ops = {monotonic_ms, NULL};
    const fer_clock clock = {&ops, NULL};
    return clock;
}

/* ---- lock --------------------------------------------------------------------------------- */

/* The spinlock remembers what it masked, and nests on the core that holds it. */
static uintptr_t mask(void *context)
{
    esp_lock *lock = context;
    portENTER_CRITICAL_SAFE(&lock->spin);
    return 0;
}

static void unmask(void *context, uintptr_t state)
{
    esp_lock *lock = context;
    (void)state;
    portEXIT_CRITICAL_SAFE(&lock->spin);
}

static void take(void *context)
{
    const esp_lock *lock = context;
    while (xSemaphoreTake(lock->mutex, portMAX_DELAY) != pdTRUE) {
    }
}

static void give(void *context)
{
    const esp_lock *lock = context;
    (void)xSemaphoreGive(lock->mutex);
}

fer_lock esp_lock_start(esp_lock *lock)
{
    static const struct fer_lock_ops ops = {mask, unmask, take, give};
    const fer_lock port = {&ops, lock};

    portMUX_INITIALIZE(&lock->spin);
    lock->mutex = xSemaphoreCreateMutexStatic(&lock->memory);
    return port;
}

/* ---- entropy ------------------------------------------------------------------------------ */

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    esp_fill_random(out, n);
    return FER_PORT_OK;
}

fer_entropy esp_entropy(void)
{
    static const struct fer_entropy_ops ops = {fill};
    const fer_entropy entropy = {&ops, NULL};
    return entropy;
}
