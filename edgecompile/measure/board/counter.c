/* A plugin for QEMU that counts the instructions which the emulated core executes between marks.
 *
 * Arguments: mark=ADDRESS, the first instruction of the function that marks; out=FILE. For each call of that function
 * after the first, one line with the instructions executed since the call before. Instructions under a condition that
 * does not hold count, as they do on the core. QEMU's plugin interface as documented in its manual, "QEMU TCG
 * Plugins"; the distribution ships no header for it, so that the few functions are declared here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                                  void (*translated)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*executed)(unsigned, void *),
                                                 int flags, void *data);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*ended)(qemu_plugin_id_t, void *), void *data);

int qemu_plugin_version = PLUGIN_VERSION;

static uint64_t mark, count, last;
static int started;
static FILE *out;

static void executed(unsigned core, void *instructions)
{
    (void)core;
    count += (uint64_t)(uintptr_t)instructions;
}

static void marked(unsigned core, void *instructions)
{
    if (started) fprintf(out, "%" PRIu64 "\n", count - last);
    started = 1;
    last = count;
    executed(core, instructions);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    void *const instructions = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, qemu_plugin_tb_vaddr(block) == mark ? marked : executed, 0,
                                         instructions);
}

static void ended(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    int i;
    (void)info;
    for (i = 0; i < argc; ++i) {
        if (strncmp(argv[i], "mark=", 5) == 0) mark = strtoull(argv[i] + 5, NULL, 0);
        if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
    }
    if (out == NULL) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
