/* Rows of weights in a shorter form times one vector, on cores with DSP instructions.
 *
 * What fully_connected_forms_s8.h does in C: inputs are int16, two a word; sums are added to. The loops over a map are
 * those of weight_forms_dsp.h. Nothing here allocates.
 */
#ifndef EC_FULLY_CONNECTED_FORMS_DSP_H_
#define EC_FULLY_CONNECTED_FORMS_DSP_H_

/* Two rows of `shared4` behind each other, for four sums: steps from `inputs` to `end`, a multiple of `count`. */
#define EC_FULLY_CONNECTED_FORMS_DSP_TURNS(count, limit)                                                               \
    if (inputs != limit) {                                                                                             \
        __asm__ volatile(                                                                                              \
            "1:\n .rept " #count "\n ldr %[x], [%[in]], #4\n"                                                          \
            "ldrb %[a], [%[from]], #1\n ldrb %[b], [%[from]], #1\n"                                                    \
            "ldr %[a], [%[table], %[a], lsl #2]\n ldr %[b], [%[table], %[b], lsl #2]\n"                                \
            "smlad %[s0], %[a], %[x], %[s0]\n smlad %[s1], %[b], %[x], %[s1]\n"                                        \
            "ldrb %[a], [%[next]], #1\n ldrb %[b], [%[next]], #1\n"                                                    \
            "ldr %[a], [%[table], %[a], lsl #2]\n ldr %[b], [%[table], %[b], lsl #2]\n"                                \
            "smlad %[s2], %[a], %[x], %[s2]\n smlad %[s3], %[b], %[x], %[s3]\n"                                        \
            ".endr\n cmp %[in], %[end]\n bne.w 1b\n"                                                                   \
            : [in] "+r"(inputs), [from] "+r"(from), [next] "+r"(next), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2),    \
              [s3] "+r"(s3), [x] "=&r"(x), [a] "=&r"(a), [b] "=&r"(b)                                                  \
            : [end] "r"(limit), [table] "r"(table)                                                                     \
            : "cc", "memory");                                                                                         \
    }

EC_SPECIALIZED void ec_fully_connected_forms_dsp_shared(const uint8_t *from, const uint32_t *table,
                                                        const uint32_t *inputs, int steps, int32_t *sums)
{
    const uint8_t *next = from + 2 * steps;
    const uint32_t *const whole = inputs + steps / 4 * 4, *const end = inputs + steps;
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    uint32_t x, a, b;
    EC_FULLY_CONNECTED_FORMS_DSP_TURNS(4, whole)
    EC_FULLY_CONNECTED_FORMS_DSP_TURNS(1, end)
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#define EC_FULLY_CONNECTED_FORMS_DSP_MAP(words)                                                                        \
    "1: ldrb %[bits], [%[map]], #1\n lsls %[bits], %[bits], #24\n beq 3f\n"                                            \
    "2: clz %[z], %[bits]\n lsr %[x], %[top], %[z]\n eors %[bits], %[bits], %[x]\n"                                    \
    "ldr %[x], [%[in], %[z], lsl #2]\n" words                                                                          \
    "smlad %[s0], %[e], %[x], %[s0]\n smlad %[s1], %[o], %[x], %[s1]\n bne 2b\n"                                       \
    "3: add %[in], %[in], #32\n cmp %[map], %[end]\n bne 1b\n"

/* A row of `block2x2`, or of `block2x2_shared4` where there is a table; gives the place behind its weights. */
EC_SPECIALIZED const uint8_t *ec_fully_connected_forms_dsp_blocks(int form, const uint8_t *from, const uint8_t *map,
                                                                  const uint8_t *end, const uint32_t *table,
                                                                  const uint32_t *inputs, int32_t *sums)
{
    int32_t s0 = 0, s1 = 0;
    uint32_t bits, z, x, e, o;
    if (form == EC_FORM_BLOCK) {
        __asm__ volatile(EC_FULLY_CONNECTED_FORMS_DSP_MAP(
                             "ldr %[e], [%[from]], #4\n sxtb16 %[o], %[e], ror #8\n sxtb16 %[e], %[e]\n")
                         : [from] "+r"(from), [map] "+r"(map), [in] "+r"(inputs), [s0] "+r"(s0), [s1] "+r"(s1),
                           [bits] "=&r"(bits), [z] "=&r"(z), [x] "=&r"(x), [e] "=&r"(e), [o] "=&r"(o)
                         : [end] "r"(end), [top] "r"(0x80000000u)
                         : "cc", "memory");
    } else {
        __asm__ volatile(EC_FULLY_CONNECTED_FORMS_DSP_MAP(
                             "ldrb %[e], [%[from]], #1\n ldrb %[o], [%[from]], #1\n"
                             "ldr %[e], [%[table], %[e], lsl #2]\n ldr %[o], [%[table], %[o], lsl #2]\n")
                         : [from] "+r"(from), [map] "+r"(map), [in] "+r"(inputs), [s0] "+r"(s0), [s1] "+r"(s1),
                           [bits] "=&r"(bits), [z] "=&r"(z), [x] "=&r"(x), [e] "=&r"(e), [o] "=&r"(o)
                         : [end] "r"(end), [top] "r"(0x80000000u), [table] "r"(table)
                         : "cc", "memory");
    }
    sums[0] = s0;
    sums[1] = s1;
    return from;
}

#endif /* EC_FULLY_CONNECTED_FORMS_DSP_H_ */
