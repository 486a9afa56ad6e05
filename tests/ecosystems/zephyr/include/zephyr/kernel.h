/* Declarations of Zephyr that Ferrule's port and example use, in our own words, after its
 * reference; kernel.c beside plays what is behind them. */
#ifndef STAND_IN_ZEPHYR_KERNEL_H
#define STAND_IN_ZEPHYR_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int64_t ms;
} k_timeout_t;
#define K_FOREVER ((k_timeout_t){-1})
#define K_MSEC(n) ((k_timeout_t){(n)})

struct k_mutex {
    int held;
};
int k_mutex_init(struct k_mutex *mutex);
int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout);
int k_mutex_unlock(struct k_mutex *mutex);

struct k_timer;
typedef void (*k_timer_expiry_t)(struct k_timer *timer);
typedef void (*k_timer_stop_t)(struct k_timer *timer);
struct k_timer {
    k_timer_expiry_t expiry;
};
void k_timer_init(struct k_timer *timer, k_timer_expiry_t expiry, k_timer_stop_t stop);
void k_timer_start(struct k_timer *timer, k_timeout_t duration, k_timeout_t period);

int64_t k_uptime_get(void);
int32_t k_msleep(int32_t ms);
unsigned int irq_lock(void);
void irq_unlock(unsigned int key);

struct device {
    const char *name;
};
bool device_is_ready(const struct device *dev);
extern const struct device device_zephyr_console;
#define DT_CHOSEN(name) name
#define STAND_IN_DEVICE(node) (&device_##node)
#define DEVICE_DT_GET(node) STAND_IN_DEVICE(node)

#endif
