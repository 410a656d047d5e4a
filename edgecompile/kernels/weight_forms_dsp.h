/* Unpacks rows of blocks on cores with DSP instructions: the loops of weight_forms.h in assembly.
 *
 * A byte of the map lies at the top of a word, so that CLZ gives the next step that is there; `far` is the step
 * of the block before, relative to the byte's first, negated. Nothing here allocates.
 */
#ifndef EC_WEIGHT_FORMS_DSP_H_
#define EC_WEIGHT_FORMS_DSP_H_

/* For each bit of the map from `map` to `end`: the distance, then what `words` makes of the constants as e and o. */
#define EC_WEIGHT_FORMS_DSP_LIST(words)                                                                                \
    "1: ldrb %[bits], [%[map]], #1\n lsls %[bits], %[bits], #24\n beq 3f\n"                                            \
    "2: clz %[z], %[bits]\n lsr %[t], %[top], %[z]\n eors %[bits], %[bits], %[t]\n"                                    \
    "add %[t], %[far], %[z]\n rsb %[far], %[z], #0\n" words                                                            \
    "str %[t], [%[row]], #12\n strd %[e], %[o], [%[row], #-8]\n bne 2b\n"                                              \
    "3: add %[far], %[far], #8\n cmp %[map], %[end]\n bne 1b\n"

EC_SPECIALIZED uint32_t *ec_weight_forms_dsp_blocks(const uint8_t **from, const uint8_t *map, const uint8_t *end,
                                                    uint32_t *row)
{
    const uint8_t *next = *from;
    uint32_t far = 0, bits, z, t, e, o;
    __asm__ volatile(
        EC_WEIGHT_FORMS_DSP_LIST("ldr %[e], [%[from]], #4\n sxtb16 %[o], %[e], ror #8\n sxtb16 %[e], %[e]\n")
        : [from] "+r"(next), [map] "+r"(map), [row] "+r"(row), [far] "+r"(far), [bits] "=&r"(bits), [z] "=&r"(z),
          [t] "=&r"(t), [e] "=&r"(e), [o] "=&r"(o)
        : [end] "r"(end), [top] "r"(0x80000000u)
        : "cc", "memory");
    *from = next;
    return row;
}

EC_SPECIALIZED uint32_t *ec_weight_forms_dsp_shared_blocks(const uint8_t **from, const uint8_t *map,
                                                           const uint8_t *end, const uint32_t *table, uint32_t *row)
{
    const uint8_t *next = *from;
    uint32_t far = 0, bits, z, t, e, o;
    __asm__ volatile(
        EC_WEIGHT_FORMS_DSP_LIST("ldrb %[e], [%[from]], #1\n ldrb %[o], [%[from]], #1\n"
                                 "ldr %[e], [%[table], %[e], lsl #2]\n ldr %[o], [%[table], %[o], lsl #2]\n")
        : [from] "+r"(next), [map] "+r"(map), [row] "+r"(row), [far] "+r"(far), [bits] "=&r"(bits), [z] "=&r"(z),
          [t] "=&r"(t), [e] "=&r"(e), [o] "=&r"(o)
        : [end] "r"(end), [top] "r"(0x80000000u), [table] "r"(table)
        : "cc", "memory");
    *from = next;
    return row;
}

#endif /* EC_WEIGHT_FORMS_DSP_H_ */
