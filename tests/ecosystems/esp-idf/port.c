/* ESP-IDF's port over flash, time and locks that this program plays. */
#include <stdio.h>
#include <string.h>

#include "esp_port.h"
#include "esp_random.h"
#include "esp_timer.h"
#include "flash.h"

/* ---- what stands in for ESP-IDF ----------------------------------------------------------- */

static esp_partition_t partition = {0x110000, FLASH_SIZE, FLASH_PAGE, "ferrule", false};
static int64_t microseconds;
static int give_ups; /* so many waits for the mutex end without it */

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype, const char *label)
{
    return type == ESP_PARTITION_TYPE_DATA && subtype == ESP_PARTITION_SUBTYPE_ANY &&
                   strcmp(label, partition.label) == 0
               ? &partition
               : NULL;
}

esp_err_t esp_partition_read(const esp_partition_t *of, size_t offset, void *out, size_t n)
{
    return of == &partition && flash_get(offset, out, n) == 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_partition_write(const esp_partition_t *of, size_t offset, const void *in, size_t n)
{
    return of == &partition && flash_put(offset, in, n, 1) == 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *of, size_t offset, size_t n)
{
    return of == &partition && flash_wipe(offset, n) == 0 ? ESP_OK : ESP_FAIL;
}

int64_t esp_timer_get_time(void)
{
    return microseconds;
}

void esp_fill_random(void *out, size_t n)
{
    memset(out, 0x5A, n);
}

void stand_in_initialize(portMUX_TYPE *mux)
{
    mux->owner = 0xB33FFFFFu;
    mux->count = 0;
}

void stand_in_enter(portMUX_TYPE *mux)
{
    CHECK(mux->owner == 0xB33FFFFFu);
    mux->count++;
}

void stand_in_exit(portMUX_TYPE *mux)
{
    CHECK(mux->count > 0);
    mux->count--;
}

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory)
{
    memory->held = 0;
    return memory;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait)
{
    CHECK(wait == portMAX_DELAY && semaphore->held == 0);
    if (give_ups > 0) {
        give_ups--;
        return pdFALSE;
    }
    semaphore->held = 1;
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    semaphore->held--;
    return pdTRUE;
}

/* ---- the port ----------------------------------------------------------------------------- */

static void check_flash(void)
{
    esp_nv nv;
    fer_nv port;

    CHECK(esp_nv_start(&nv, "ferrule", &port));
    CHECK(port.geometry->block_size == FLASH_PAGE && port.geometry->block_count == FLASH_PAGES);
    check_driver(port);
    CHECK(!esp_nv_start(&nv, "other", &port));
    partition.encrypted = true;
    CHECK(!esp_nv_start(&nv, "ferrule", &port));
    partition.encrypted = false;
    partition.size = FLASH_PAGE;
    CHECK(!esp_nv_start(&nv, "ferrule", &port));
    partition.size = FLASH_SIZE;
    partition.erase_size = 0;
    CHECK(!esp_nv_start(&nv, "ferrule", &port));
}

static void check_the_rest(void)
{
    esp_lock lock;
    fer_lock port = esp_lock_start(&lock);
    uintptr_t outer = port.ops->mask(port.context), inner = port.ops->mask(port.context);
    uint64_t ms = 0;
    uint8_t key[4] = {0};

    CHECK(lock.spin.count == 2);
    port.ops->unmask(port.context, inner);
    port.ops->unmask(port.context, outer);
    CHECK(lock.spin.count == 0);
    give_ups = 2;
    port.ops->take(port.context);
    CHECK(lock.memory.held == 1);
    port.ops->give(port.context);
    CHECK(lock.memory.held == 0);
    microseconds = INT64_C(5000000000999);
    CHECK(esp_clock().ops->monotonic_ms(NULL, &ms) == FER_PORT_OK && ms == 5000000000u);
    CHECK(esp_entropy().ops->fill(NULL, key, sizeof key) == FER_PORT_OK && key[3] == 0x5A);
}

int main(void)
{
    check_flash();
    check_the_rest();
    puts(failures == 0 ? "the port of ESP-IDF keeps its contracts" : "FAILED");
    return failures != 0;
}
