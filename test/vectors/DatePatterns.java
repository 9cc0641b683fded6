import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Records what Java writes for patterns: java test/vectors/DatePatterns.java > test/vectors/date-patterns.json */
class DatePatterns {
  static final String LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static final String KNOWN = "GuyYDMLdQqgwWEecFaBhKkHmsSAnNVvzOXxZ";
  static final String CALENDAR = "yy/D/ww/W/F/g/q/E/e/MMM/B/a/h/K/k/A";
  static final List<String> INSTANTS =
      List.of("2020-12-31T00:05:09.123Z", "2021-01-03T12:00:00Z", "2024-02-29T23:59:59.999Z", "2023-01-01T01:02:03.004Z");
  static final Random RANDOM = new Random(1);

  static ZonedDateTime time(String instant) {
    return Instant.parse(instant).atZone(ZoneId.of("UTC"));
  }

  static String run(String letters, int countMax) {
    String letter = String.valueOf(letters.charAt(RANDOM.nextInt(letters.length())));
    return letter.repeat(1 + RANDOM.nextInt(1 + RANDOM.nextInt(countMax)));
  }

  static Set<String> patterns() {
    Set<String> patterns = new LinkedHashSet<>();
    for (char letter : LETTERS.toCharArray())
      for (int count = 1; count <= 20; count++) patterns.add(String.valueOf(letter).repeat(count));
    for (char first : KNOWN.toCharArray())
      for (char second : KNOWN.toCharArray())
        if (first != second) patterns.add(run(String.valueOf(first), 4) + run(String.valueOf(second), 4));
    for (int index = 0; index < 3300; index++) {
      StringBuilder pattern = new StringBuilder();
      for (int part = 0; part < 2 + index % 3; part++) {
        if (RANDOM.nextInt(6) == 0) pattern.append("p".repeat(1 + RANDOM.nextInt(10)));
        pattern.append(run(RANDOM.nextInt(40) == 0 ? LETTERS : KNOWN, 4));
        if (RANDOM.nextInt(3) == 0) pattern.append("/");
      }
      patterns.add(pattern.toString());
    }
    return patterns;
  }

  /** What is written at each of the instants, null where Java fails; null when it always does. */
  static List<String> written(String pattern) {
    List<String> texts = new ArrayList<>();
    for (String instant : INSTANTS) {
      try {
        texts.add(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time(instant)));
      } catch (RuntimeException refused) {
        texts.add(null);
      }
    }
    return texts.stream().allMatch(text -> text == null) ? null : texts;
  }

  static String quoted(String text) {
    return text == null ? "null" : "\"" + text + "\"";
  }

  static String list(List<String> texts) {
    return "[" + String.join(",", texts.stream().map(DatePatterns::quoted).toList()) + "]";
  }

  public static void main(String[] arguments) {
    List<String> refused = new ArrayList<>();
    Map<String, List<String>> patterns = new LinkedHashMap<>();
    for (String pattern : patterns()) {
      List<String> texts = written(pattern);
      if (texts == null) refused.add(pattern);
      else patterns.put(pattern, texts);
    }
    Map<String, String> days = new LinkedHashMap<>();
    for (int index = 0; index < 600; index++) {
      boolean isTurn = index % 2 == 0;
      int year = 1970 + RANDOM.nextInt(130);
      Instant instant = isTurn
          ? Instant.parse(year + "-12-25T00:00:00Z").plusSeconds(86400L * RANDOM.nextInt(14) + 3600L * RANDOM.nextInt(24))
          : Instant.ofEpochMilli((long) (RANDOM.nextDouble() * 4102444800000L));
      days.put(instant.toString(), DateTimeFormatter.ofPattern(CALENDAR, Locale.ENGLISH).format(time(instant.toString())));
    }
    System.out.println("{\"about\": \"Written by DatePatterns.java, OpenJDK " + Runtime.version().feature()
        + ", English, UTC: a text for each of the instants, null where Java fails; patterns that it always refuses; one pattern at many times.\",");
    System.out.println("\"instants\": " + list(INSTANTS) + ",\n\"patterns\": {");
    System.out.println(String.join(",\n", patterns.entrySet().stream().map(entry -> quoted(entry.getKey()) + ":" + list(entry.getValue())).toList()));
    System.out.println("},\n\"refused\": \"" + String.join(" ", refused) + "\",\n\"calendar\": " + quoted(CALENDAR) + ",\n\"times\": {");
    System.out.println(String.join(",\n", days.entrySet().stream().map(entry -> quoted(entry.getKey()) + ":" + quoted(entry.getValue())).toList()));
    System.out.println("}}");
  }
}
