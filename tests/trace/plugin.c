/* Tests: a QEMU plugin that hashes what a program did between two markers: the address of every
 * instruction and of every load and store, in order. One line for each interval, on standard error:
 *
 *     trace HASH INSTRUCTIONS
 *
 *     qemu-system-arm … -plugin plugin.so,begin=ADDRESS,end=ADDRESS
 *
 * Debian ships QEMU without the header of its plugin interface: the few functions of version 1 that
 * are used here are declared below, as QEMU's documentation describes them. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0, LOADS_AND_STORES = 3 };

typedef void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void executed(unsigned int cpu, void *data);
typedef void accessed(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated *call);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed *call,
                                            int registers, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, accessed *call, int registers,
                                      int which, void *data);

/* What QEMU looks for. */
extern int qemu_plugin_version;
int qemu_plugin_version = 1;
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

static uint64_t begin_at, end_at;
static uint64_t hash, instructions;
static bool tracing;

/* FNV-1a (Fowler, Noll and Vo), a whole word at a time. */
static void mix(uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x100000001B3);
    hash ^= hash >> 29;
}

static void on_instruction(unsigned int cpu, void *data)
{
    const uint64_t at = (uint64_t)(uintptr_t)data;

    (void)cpu;
    if (at == begin_at) {
        tracing = true;
        hash = UINT64_C(0xCBF29CE484222325);
        instructions = 0;
    } else if (at == end_at && tracing) {
        tracing = false;
        (void)fprintf(stderr, "trace %016" PRIx64 " %" PRIu64 "\n", hash, instructions);
    } else if (tracing) {
        mix(at);
        instructions++;
    }
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
    (void)cpu;
    (void)data;
    if (tracing) {
        mix(address ^ (uint64_t)info << 32);
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        void *at = (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn);

        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, NO_REGISTERS, at);
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, NO_REGISTERS, LOADS_AND_STORES, NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "begin=", 6) == 0) {
            begin_at = strtoull(argv[i] + 6, NULL, 0);
        } else if (strncmp(argv[i], "end=", 4) == 0) {
            end_at = strtoull(argv[i] + 4, NULL, 0);
        }
    }
    if (begin_at == 0 || end_at == 0) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
