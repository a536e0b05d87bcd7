import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * An index that is not unique, which the server itself has not. It lies in memory, is made anew from the documents at each start, and
 * finds those that may answer a query by its first fields.
 */
class OrderedIndex extends Index<Object> {
  /** Further ones would only serve to answer without the documents, which this index cannot. */
  private static final int FIELDS = 3;

  private final List<IndexKey> fields;
  private final TreeMap<Place, Object> places = new TreeMap<>(this::compare);
  private boolean hasLists;

  OrderedIndex(String name, List<IndexKey> keys) {
    super(name, keys, true);
    fields = keys.subList(0, Math.min(FIELDS, keys.size()));
  }

  /** Values of the first fields, and where it lies among those that begin with the same values. */
  private static class Place {
    final List<Object> values;
    /** -1 before them, 1 after them, 0 by the document's id. */
    final int edge;
    final Object id;

    Place(List<Object> values, int edge, Object id) {
      this.values = values;
      this.edge = edge;
      this.id = id;
    }
  }

  private int compare(Place one, Place other) {
    int both = Math.min(one.values.size(), other.values.size());
    for (int at = 0; at < both; at++) {
      ValueComparator order = fields.get(at).isAscending() ? ValueComparator.asc() : ValueComparator.desc();
      int difference = order.compare(one.values.get(at), other.values.get(at));
      if (difference != 0) return difference;
    }
    if (one.values.size() < other.values.size()) return one.edge;
    if (one.values.size() > other.values.size()) return -other.edge;
    if (one.edge != other.edge) return Integer.compare(one.edge, other.edge);
    return ValueComparator.asc().compare(one.id, other.id);
  }

  /** Parts of the index that hold every document that answers a query, and maybe others. */
  class Plan {
    /** How many of the first fields the query names, and how many of those have one value only. */
    final int named;
    final int fixed;
    private final List<NavigableMap<Place, Object>> parts;

    private Plan(int named, int fixed, List<NavigableMap<Place, Object>> parts) {
      this.named = named;
      this.fixed = fixed;
      this.parts = parts;
    }

    /** Where the documents are, in this order; null where the index has another one. */
    Iterable<Object> inOrder(Document order) {
      if (parts.size() != 1) return null;
      Boolean reversed = null;
      int at = fixed;
      for (Map.Entry<String, Object> wanted : order.entrySet()) {
        if (isFixed(wanted.getKey())) continue;
        if (at == fields.size() || !fields.get(at).getKey().equals(wanted.getKey())) return null;
        boolean isReversed = ((Number) wanted.getValue()).intValue() > 0 != fields.get(at).isAscending();
        if (reversed != null && reversed != isReversed) return null;
        reversed = isReversed;
        at++;
      }
      NavigableMap<Place, Object> part = parts.get(0);
      return (Boolean.TRUE.equals(reversed) ? part.descendingMap() : part).values();
    }

    Iterable<Object> inAnyOrder() {
      List<Object> all = new ArrayList<>();
      for (NavigableMap<Place, Object> part : parts) all.addAll(part.values());
      return all;
    }

    private boolean isFixed(String name) {
      return fields.subList(0, fixed).stream().anyMatch(field -> field.getKey().equals(name));
    }
  }

  /** Null where the index is of no use. */
  Plan plan(Document query) {
    if (hasLists) return null;
    List<List<Object>> prefixes = List.of(List.of());
    int fixed = 0;
    for (; fixed < fields.size(); fixed++) {
      List<Object> values = valuesOf(query.get(fields.get(fixed).getKey()));
      if (values == null) break;
      List<List<Object>> longer = new ArrayList<>();
      for (List<Object> prefix : prefixes) for (Object value : values) longer.add(with(prefix, value));
      prefixes = longer;
    }
    Document range = fixed < fields.size() ? rangeOf(query.get(fields.get(fixed).getKey())) : null;
    if (fixed == 0 && range == null) return null;
    List<NavigableMap<Place, Object>> parts = new ArrayList<>();
    for (List<Object> prefix : prefixes) parts.add(part(prefix, range));
    return new Plan(range == null ? fixed : fixed + 1, fixed, parts);
  }

  private NavigableMap<Place, Object> part(List<Object> prefix, Document range) {
    Place from = new Place(prefix, -1, null);
    Place to = new Place(prefix, 1, null);
    if (range != null) {
      boolean isAscending = fields.get(prefix.size()).isAscending();
      for (Map.Entry<String, Object> bound : range.entrySet()) {
        boolean isLower = bound.getKey().startsWith("$g");
        boolean isWithin = bound.getKey().endsWith("e");
        List<Object> values = with(prefix, bound.getValue());
        if (isLower == isAscending) from = new Place(values, isWithin ? -1 : 1, null);
        else to = new Place(values, isWithin ? 1 : -1, null);
      }
    }
    return compare(from, to) < 0 ? places.subMap(from, true, to, true) : new TreeMap<>();
  }

  /** The only values that a document can have that answers this; null where that is not known. */
  private static List<Object> valuesOf(Object condition) {
    if (isPlain(condition)) return List.of(condition);
    if (!(condition instanceof Document)) return null;
    Document words = (Document) condition;
    if (isPlain(words.get("$eq"))) return List.of(words.get("$eq"));
    Object in = words.get("$in");
    if (!(in instanceof Collection)) return null;
    List<Object> values = new ArrayList<>((Collection<?>) in);
    return values.stream().allMatch(OrderedIndex::isPlain) ? values.stream().distinct().toList() : null;
  }

  private static Document rangeOf(Object condition) {
    if (!(condition instanceof Document)) return null;
    Document range = new Document();
    for (String word : List.of("$gt", "$gte", "$lt", "$lte")) {
      Object value = ((Document) condition).get(word);
      if (isPlain(value)) range.append(word, value);
    }
    return range.isEmpty() ? null : range;
  }

  private static boolean isPlain(Object value) {
    return value instanceof String
        || value instanceof Number
        || value instanceof Boolean
        || value instanceof Instant;
  }

  private static List<Object> with(List<Object> values, Object more) {
    List<Object> all = new ArrayList<>(values);
    all.add(more);
    return all;
  }

  private Place placeOf(Document document) {
    List<Object> values = new ArrayList<>();
    for (IndexKey field : fields) {
      Object value = document.get(field.getKey());
      hasLists |= value instanceof Collection;
      values.add(value);
    }
    return new Place(values, 0, document.get("_id"));
  }

  @Override
  public Object getPosition(Document document) {
    return places.get(placeOf(document));
  }

  @Override
  public void checkAdd(Document document, MongoCollection<Object> collection) {}

  @Override
  public void add(Document document, Object position, MongoCollection<Object> collection) {
    places.put(placeOf(document), position);
  }

  @Override
  public Object remove(Document document) {
    return places.remove(placeOf(document));
  }

  /** The collection asks for a plan instead. */
  @Override
  public boolean canHandle(Document query) {
    return false;
  }

  @Override
  public Iterable<Object> getPositions(Document query) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long getCount() {
    return places.size();
  }

  @Override
  public long getDataSize() {
    return places.size();
  }

  @Override
  public void checkUpdate(Document before, Document after, MongoCollection<Object> collection) {}

  @Override
  public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {
    if (compare(placeOf(before), placeOf(after)) == 0) return;
    remove(before);
    add(after, position, collection);
  }

  @Override
  public void drop() {
    places.clear();
  }
}
