/* The application: read the inputs, run the model, use the outputs. Written by edgecompile; a place to start from.
 *
 * Define the functions in a file of your own and name it in the Makefile's APP_SOURCES too. A model that hears needs
 * application_listen alone: the rows of its input are made of the samples, and the oldest ones go.
 */
#include <string.h>

#include "model.h"

void application_read(void *arena);
void application_use(void *arena);
void application_listen(int16_t *samples, uint32_t count);

static MODEL_ARENA(arena);

#ifdef MODEL_FEATURES
/* Rows between two runs of the model: five of 20 ms are ten runs a second. */
#ifndef MODEL_FEATURES_ROWS_A_RUN
#define MODEL_FEATURES_ROWS_A_RUN 5
#endif
#define KEPT_SAMPLES (MODEL_FEATURES_WINDOW - MODEL_FEATURES_STEP)
#define KEPT_VALUES ((MODEL_FEATURES_ROWS - 1) * MODEL_FEATURES_COLUMNS)

static int16_t heard[MODEL_FEATURES_WINDOW];
static model_feature rows[MODEL_FEATURES_ROWS * MODEL_FEATURES_COLUMNS];
static int32_t scratch[MODEL_FEATURES_SCRATCH];

/* Wait for that many samples of the microphone. */
__attribute__((weak)) void application_listen(int16_t *samples, uint32_t count)
{
    (void)samples;
    (void)count;
}

static void hear_row(void)
{
    memmove(heard, heard + MODEL_FEATURES_STEP, KEPT_SAMPLES * sizeof *heard);
    application_listen(heard + KEPT_SAMPLES, MODEL_FEATURES_STEP);
    memmove(rows, rows + MODEL_FEATURES_COLUMNS, KEPT_VALUES * sizeof *rows);
    MODEL_FEATURES_ROW(heard, rows + KEPT_VALUES, scratch);
}

__attribute__((weak)) void application_read(void *place)
{
    static int filled = 0;
    int row = filled ? MODEL_FEATURES_ROWS - MODEL_FEATURES_ROWS_A_RUN : 0;
    for (filled = 1; row < MODEL_FEATURES_ROWS; ++row) hear_row();
    memcpy(MODEL_INPUT(place, 0), rows, sizeof rows);
}
#else
/* Fill the inputs: MODEL_INPUT(arena, 0) and so on. */
__attribute__((weak)) void application_read(void *place) { (void)place; }
#endif

/* Do something with MODEL_OUTPUT(arena, 0) and so on. */
__attribute__((weak)) void application_use(void *place) { (void)place; }

int main(void)
{
    MODEL_INIT(arena.bytes);
    for (;;) {
        application_read(arena.bytes);
        MODEL_INVOKE(arena.bytes);
        application_use(arena.bytes);
    }
}
