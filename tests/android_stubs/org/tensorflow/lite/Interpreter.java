package org.tensorflow.lite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Map;

public final class Interpreter implements AutoCloseable {
    public static class Options {
        public Options setUseNNAPI(boolean use) {
            return this;
        }

        public Options setUseXNNPACK(boolean use) {
            return this;
        }

        public Options addDelegate(Delegate delegate) {
            return this;
        }
    }

    private static final Path FOLDER = Paths.get(System.getProperty("STUB", "."));

    public Interpreter(ByteBuffer model, Options options) {
        if (!model.isDirect()) {
            throw new IllegalArgumentException("model");
        }
    }

    public void runForMultipleInputsOutputs(Object[] inputs, Map<Integer, Object> outputs) {
        try {
            for (int i = 0; i < inputs.length; i++) {
                ByteBuffer given = (ByteBuffer) inputs[i];
                byte[] bytes = new byte[given.remaining()];
                given.get(bytes);
                Files.write(FOLDER.resolve("input" + i + ".bin"), bytes);
            }
            for (Map.Entry<Integer, Object> entry : outputs.entrySet()) {
                ((ByteBuffer) entry.getValue()).put(Files.readAllBytes(FOLDER.resolve("output" + entry.getKey() + ".bin")));
            }
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public void close() {}
}
