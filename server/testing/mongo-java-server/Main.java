import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.Arrays;
import java.util.List;
import org.h2.mvstore.MVStore;

/** Main PORT FILE: serves the MongoDB protocol until it is killed. Port 0: any free one, printed. */
class Main {
  /** Megabytes of documents that are held as they are, so that reading them again costs nothing. */
  private static final int CACHE = 512;

  private static MVStore store;

  public static void main(String[] args) throws Exception {
    store = new MVStore.Builder().fileName(args[1]).cacheSize(CACHE).autoCommitDisabled().open();
    MongoServer server = new MongoServer(new Durable());
    server.bind("127.0.0.1", Integer.parseInt(args[0]));
    System.out.println("listens on " + server.getLocalAddress().getPort());
  }

  /** What was answered is in the file, so that it outlives a kill. */
  static class Durable extends H2Backend {
    Durable() {
      super(store);
      version(new Version());
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      IndexedCollection.firstMatch.set(firstMatch(message.getDocument()));
      Document answer = super.handleMessage(message);
      IndexedCollection.firstMatch.remove();
      store.commit();
      return answer;
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
      return new Indexed(name, getCursorRegistry());
    }

    private static Document firstMatch(Document command) {
      if (!(command.get("pipeline") instanceof List)) return null;
      List<?> stages = (List<?>) command.get("pipeline");
      return stages.isEmpty() ? null : (Document) ((Document) stages.get(0)).get("$match");
    }
  }

  static class Indexed extends H2Database {
    Indexed(String name, CursorRegistry cursors) {
      super(name, store, cursors);
    }

    @Override
    protected Index<Object> openOrCreateSecondaryIndex(
        String collection, String name, List<IndexKey> keys, boolean sparse) {
      return new OrderedIndex(name, keys);
    }

    @Override
    protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
      String fullName = getDatabaseName() + "." + name;
      return new IndexedCollection(
          this, name, options, store.openMap("databases." + fullName), store.openMap("meta." + fullName), cursorRegistry);
    }
  }

  /** The driver refuses servers that say they are older. */
  static class Version implements MongoVersion {
    public List<Integer> getVersionArray() {
      return Arrays.asList(7, 0, 0);
    }

    public int getWireVersion() {
      return 21;
    }
  }
}
