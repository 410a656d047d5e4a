/* The application of the firmware, with the host's file sound.raw in place of a microphone, so that an emulated board
 * can listen. For a real one, wait in application_listen for samples of your microphone's DMA instead.
 */
#include "model.h"
#include "semihosting.h"

void application_listen(int16_t *samples, uint32_t count);
void application_use(void *arena);

static const char *const words[] = {"background", "ia", "ai", "usa", "asu", "oi"};

void application_listen(int16_t *samples, uint32_t count)
{
    static int32_t sound = -1;
    if (sound < 0) sound = ec_host_open("sound.raw", EC_HOST_READ);
    if (sound < 0 || !ec_host_read(sound, samples, count * sizeof *samples)) ec_host_exit(sound < 0 ? 1u : 0u);
}

/* Say a word once, when three answers in a row agree on it and are sure. */
void application_use(void *arena)
{
    static int before = 0, said = 0, times = 0;
    const int8_t *const scores = (const int8_t *)MODEL_OUTPUT(arena, 0);
    int best = 0, word;
    for (word = 1; word < (int)(sizeof words / sizeof *words); ++word) {
        if (scores[word] > scores[best]) best = word;
    }
    if (scores[best] < 50) best = 0; /* 70 %: scale 1/256, zero point -128 */
    times = best == before ? times + 1 : 1;
    if (times == 3 && best != said) {
        if (best != 0) {
            ec_host_print(words[best]);
            ec_host_print("\n");
        }
        said = best;
    }
    before = best;
}
