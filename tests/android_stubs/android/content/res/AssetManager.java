package android.content.res;

public final class AssetManager {
    public AssetFileDescriptor openFd(String name) throws java.io.IOException {
        return new AssetFileDescriptor();
    }
}
