import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.Arrays;
import java.util.List;
import org.h2.mvstore.MVStore;

/** Main PORT FILE: serves the MongoDB protocol until it is killed. Port 0: any free one, printed. */
class Main {
  public static void main(String[] args) throws Exception {
    MVStore store = new MVStore.Builder().fileName(args[1]).autoCommitDisabled().open();
    MongoServer server = new MongoServer(new Durable(store));
    server.bind("127.0.0.1", Integer.parseInt(args[0]));
    System.out.println("listens on " + server.getLocalAddress().getPort());
  }

  /** What was answered is in the file, so that it outlives a kill. */
  static class Durable extends H2Backend {
    private final MVStore store;

    Durable(MVStore store) {
      super(store);
      this.store = store;
      version(new Version());
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      Document answer = super.handleMessage(message);
      store.commit();
      return answer;
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
