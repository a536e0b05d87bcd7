import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.bson.Document;
import org.h2.mvstore.MVMap;

/** Looks only at documents that an index names, where one can: the server's own looks at all of them for all but the simplest queries. */
class IndexedCollection extends H2Collection {
  /** What the aggregation of this thread begins with. */
  static final ThreadLocal<Document> firstMatch = new ThreadLocal<>();

  IndexedCollection(
      MongoDatabase database,
      String name,
      CollectionOptions options,
      MVMap<Object, Document> data,
      MVMap<String, Object> meta,
      CursorRegistry cursors) {
    super(database, name, options, data, meta, cursors);
  }

  @Override
  public Iterable<Document> queryAll() {
    Document match = firstMatch.get();
    return match == null ? super.queryAll() : handleQuery(match);
  }

  @Override
  protected QueryResult queryDocuments(
      Document query, Document order, int skip, int limit, int batchSize, Document fields) {
    Iterable<Object> positions = byId(query);
    if (positions == null) {
      OrderedIndex.Plan plan = plan(query);
      if (plan == null) return super.queryDocuments(query, order, skip, limit, batchSize, fields);
      Iterable<Object> inOrder = order == null ? null : plan.inOrder(order);
      if (inOrder != null) return matchDocuments(query, inOrder, null, skip, limit, batchSize, fields);
      positions = plan.inAnyOrder();
    }
    return matchDocuments(query, positions, order, skip, limit, batchSize, fields);
  }

  private Iterable<Object> byId(Document query) {
    Object id = query.get("_id");
    if (id instanceof Document && ((Document) id).containsKey("$eq")) id = ((Document) id).get("$eq");
    if (id == null) return null;
    Document byId = new Document("_id", id);
    for (Index<Object> index : getIndexes()) if (index.canHandle(byId)) return index.getPositions(byId);
    return null;
  }

  private OrderedIndex.Plan plan(Document query) {
    OrderedIndex.Plan best = null;
    for (Index<Object> index : getIndexes()) {
      OrderedIndex.Plan plan = index instanceof OrderedIndex ? ((OrderedIndex) index).plan(query) : null;
      if (plan != null && (best == null || plan.named > best.named)) best = plan;
    }
    return best;
  }
}
