# Recomputes every number of a study's report from its locked readings, with base R and pROC.
#
#   Rscript analyse.R            in the folder with readings.csv and figures.csv
#
# It prints each number as the report has it and as it is found here, and ends with status 1 where one differs by more
# than a millionth. Intervals that rest on the program's own random resampling are named and not recomputed; their
# estimates are.

suppressPackageStartupMessages(library(pROC))
options(warn = 1, digits = 10)
TOLERANCE <- 1e-6

read <- function(name) {
  read.csv(name, colClasses = "character", na.strings = "", check.names = FALSE, encoding = "UTF-8")
}
number <- function(text) as.numeric(text)
readings <- read("readings.csv")
figures <- read("figures.csv")

readings$is_hsil <- readings$truth == "hsil"
readings$call_hsil <- readings$call == "hsil"
is_reader <- readings$caller_kind == "reader"
# Call and confidence as one rating: above 0 for HSIL. A network's is its probability over its frozen threshold.
readings$rating <- ifelse(
  is_reader,
  ifelse(readings$call_hsil, 1, -1) * (number(readings$confidence) + 0.5),
  number(readings$prob_hsil) - number(readings$threshold)
)
readings$probability <- ifelse(
  is_reader,
  0.5 + ifelse(readings$call_hsil, 1, -1) * number(readings$confidence) / 200,
  number(readings$prob_hsil)
)
readings$time <- ifelse(is.na(readings$active_seconds), number(readings$seconds), number(readings$active_seconds))
in_order <- order(number(readings$session), number(readings$occurrence), number(readings$phase))

# Rows of a caller: of a reader the first reading of each case in the arm; of a network each case, or those not learned from.
rows_of <- function(kind, caller, channels, arm, scope) {
  found <- readings[in_order, ]
  found <- found[found$caller_kind == kind & found$caller == caller, ]
  if (kind == "reader") {
    found <- found[found$arm == arm & found$occurrence == "1", ]
    found <- found[!duplicated(found$case_id), ]
  } else {
    found <- found[found$channels == channels, ]
    if (scope == "unseen") found <- found[found$seen_in_training == "false", ]
  }
  found[order(number(found$case_id)), ]
}

rating_of <- function(rows) setNames(rows$rating, rows$case_id)
truth_of <- local({
  known <- readings[!duplicated(readings$case_id), ]
  setNames(known$is_hsil, known$case_id)
})
# Cases of one patient have one number; each case is a patient of its own in an archive that is older than the column.
patient_of <- local({
  known <- readings[!duplicated(readings$case_id), ]
  setNames(if (is.null(known$patient)) known$case_id else known$patient, known$case_id)
})
readers_of <- function(arm) {
  found <- readings[is_reader & readings$arm == arm, ]
  sort(unique(found$caller))
}

# Shares ---------------------------------------------------------------------------------------------------------------
share_of <- function(figure, truth, calls) {
  trials <- switch(
    figure,
    accuracy = rep(TRUE, length(truth)), sensitivity = truth, specificity = !truth, ppv = calls, npv = !calls
  )
  c(k = sum((truth == calls)[trials]), n = sum(trials))
}
wilson <- function(k, n, alpha) {
  if (n == 0) return(c(NA, NA))
  z <- qnorm(1 - alpha / 2)
  p <- k / n
  middle <- (p + z^2 / (2 * n)) / (1 + z^2 / n)
  far <- z / (1 + z^2 / n) * sqrt(p * (1 - p) / n + z^2 / (4 * n^2))
  c(if (k == 0) 0 else middle - far, if (k == n) 1 else middle + far)
}
clopper_pearson <- function(k, n, alpha) {
  if (n == 0) c(NA, NA) else as.numeric(binom.test(k, n, conf.level = 1 - alpha)$conf.int)
}
newcombe <- function(first, second, alpha) {
  n <- length(first)
  both <- sum(first & second); b <- sum(first & !second); c <- sum(!first & second); neither <- sum(!first & !second)
  one <- wilson(both + b, n, alpha); other <- wilson(both + c, n, alpha)
  p1 <- (both + b) / n; p2 <- (both + c) / n
  margins <- (both + b) * (c + neither) * (both + c) * (b + neither)
  surplus <- both * neither - b * c
  if (surplus > 0) surplus <- max(surplus - n / 2, 0)
  phi <- if (margins == 0) 0 else surplus / sqrt(margins)
  low <- sqrt(max(0, (p1 - one[1])^2 - 2 * phi * (p1 - one[1]) * (other[2] - p2) + (other[2] - p2)^2))
  high <- sqrt(max(0, (one[2] - p1)^2 - 2 * phi * (one[2] - p1) * (p2 - other[1]) + (p2 - other[1])^2))
  p <- if (b + c == 0) 1 else binom.test(b, b + c, 0.5)$p.value
  c(value = p1 - p2, low = p1 - p2 - low, high = p1 - p2 + high, p = p, n = n, b = b, c = c)
}

# Areas ----------------------------------------------------------------------------------------------------------------
roc_of <- function(ratings) {
  truth <- truth_of[names(ratings)]
  roc(controls = ratings[!truth], cases = ratings[truth], direction = "<", quiet = TRUE)
}
area <- function(ratings) as.numeric(auc(roc_of(ratings)))

# What each case gives to an endpoint: its placement, or whether it is called right.
parts_of <- function(ratings, figure) {
  truth <- truth_of[names(ratings)]
  positive <- ratings[truth]; negative <- ratings[!truth]
  if (figure == "auc") {
    wins <- outer(positive, negative, ">") + outer(positive, negative, "==") / 2
    return(list(value = mean(wins), positive = rowMeans(wins), negative = colMeans(wins)))
  }
  right <- (ratings >= 0) == truth
  share <- mean(truth)
  switch(
    figure,
    accuracy = list(value = mean(right), positive = share * right[truth], negative = (1 - share) * right[!truth]),
    sensitivity = list(value = mean(right[truth]), positive = 1 * right[truth], negative = rep(1, sum(!truth))),
    specificity = list(value = mean(right[!truth]), positive = rep(1, sum(truth)), negative = 1 * right[!truth])
  )
}
covariance_of <- function(vectors, figure) {
  if (figure == "auc") {
    curves <- lapply(vectors, roc_of)
    n <- length(curves)
    found <- matrix(0, n, n)
    for (i in seq_len(n)) for (j in seq_len(n)) {
      found[i, j] <- if (i == j) var(curves[[i]], method = "delong") else cov(curves[[i]], curves[[j]], method = "delong")
    }
    return(found)
  }
  parts <- lapply(vectors, parts_of, figure = figure)
  positive <- sapply(parts, `[[`, "positive"); negative <- sapply(parts, `[[`, "negative")
  cov(positive) / nrow(positive) + cov(negative) / nrow(negative)
}

# Obuchowski and Rockette with Hillis' degrees of freedom ----------------------------------------------------------------
bounds <- function(value, se, df, alpha) {
  far <- if (is.infinite(df)) qnorm(1 - alpha / 2) else qt(1 - alpha / 2, df)
  c(value - far * se, value + far * se)
}
of_mean <- function(values, covariance, alpha) {
  n <- length(values)
  cov2 <- if (n > 1) mean(covariance[row(covariance) != col(covariance)]) else 0
  by_reader <- var(values)
  variance <- by_reader + n * max(cov2, 0)
  if (variance <= 1e-24) return(c(value = mean(values), low = NA, high = NA, p = NA))
  df <- if (by_reader > 1e-24) variance^2 / (by_reader^2 / (n - 1)) else Inf
  se <- sqrt(variance / n)
  t <- mean(values) / se
  p <- if (is.infinite(df)) 2 * pnorm(-abs(t)) else 2 * pt(-abs(t), df)
  limits <- bounds(mean(values), se, df, alpha)
  c(value = mean(values), low = limits[1], high = limits[2], p = p)
}
two_arms <- function(first, second, figure, alpha) {
  n <- length(first)
  values <- rbind(sapply(first, function(one) parts_of(one, figure)$value), sapply(second, function(one) parts_of(one, figure)$value))
  whole <- covariance_of(c(first, second), figure)
  arm <- rep(1:2, each = n); reader <- rep(seq_len(n), 2)
  other_reader <- outer(reader, reader, "!="); same_arm <- outer(arm, arm, "==")
  cov2 <- mean(whole[same_arm & other_reader]); cov3 <- mean(whole[!same_arm & other_reader])
  rest <- values - rowMeans(values) - matrix(colMeans(values), 2, n, byrow = TRUE) + mean(values)
  by_both <- sum(rest^2) / (n - 1)
  denominator <- by_both + n * max(cov2 - cov3, 0)
  difference <- mean(values[1, ]) - mean(values[2, ])
  if (denominator <= 1e-24) return(c(value = difference, low = NA, high = NA, p = NA))
  df2 <- if (by_both > 1e-24) denominator^2 / (by_both^2 / (n - 1)) else Inf
  f <- n * sum((rowMeans(values) - mean(values))^2) / denominator
  p <- if (is.infinite(df2)) 2 * pnorm(-sqrt(f)) else pf(f, 1, df2, lower.tail = FALSE)
  limits <- bounds(difference, sqrt(2 * denominator / n), df2, alpha)
  c(value = difference, low = limits[1], high = limits[2], p = p)
}
complete <- function(vectors) {
  common <- Reduce(intersect, lapply(vectors, names))
  lapply(vectors, function(one) one[common])
}

# Agreement --------------------------------------------------------------------------------------------------------------
# Each coefficient is 1 minus the disagreement found over that by chance, as a function of how much each case weighs.
cohen <- function(one, other, weighting = "none") {
  levels <- sort(unique(c(one, other)))
  first <- match(one, levels); second <- match(other, levels)
  far <- abs(outer(seq_along(levels), seq_along(levels), "-"))
  far <- switch(weighting, none = 1 * (far > 0), linear = far, quadratic = far^2) / max(far, 1)
  function(weights) {
    count <- function(codes) as.numeric(tapply(weights, factor(codes, seq_along(levels)), sum, default = 0))
    c(
      observed = sum(weights * far[cbind(first, second)]) / sum(weights),
      chance = sum(outer(count(first), count(second)) * far) / sum(weights)^2
    )
  }
}
counted <- function(calls) cbind(colSums(!calls), colSums(calls))
of_all <- function(calls, figure) {
  counts <- counted(calls); n <- nrow(calls)
  counts <- counts[, colSums(counts) > 0, drop = FALSE]
  apart <- 1 - (rowSums(counts^2) - n) / (n * (n - 1))
  function(weights) {
    shares <- colSums(weights * counts) / (n * sum(weights))
    agreed <- if (figure == "fleiss") sum(shares^2) else sum(shares * (1 - shares)) / max(1, length(shares) - 1)
    c(observed = sum(weights * apart) / sum(weights), chance = 1 - agreed)
  }
}
krippendorff <- function(table, ordinal) {
  levels <- sort(unique(as.vector(table[!is.na(table)])))
  # How many readers gave each case each rating.
  counts <- sapply(levels, function(level) colSums(table == level, na.rm = TRUE))
  counts <- matrix(counts, ncol(table), length(levels))
  n_of <- rowSums(counts)
  function(weights) {
    total <- colSums(weights * counts); n <- sum(total)
    distance <- 1 - diag(length(levels))
    if (ordinal) {
      middle <- cumsum(total) - total / 2
      distance <- outer(middle, middle, "-")^2 / (max(middle) - min(middle))^2
    }
    c(
      observed = sum(weights * rowSums((counts %*% distance) * counts) / (n_of - 1)) / n,
      chance = sum(outer(total, total) * distance) / (n * (n - 1))
    )
  }
}
# Wilson's interval of the disagreement found, on as many cases as its variance by patients is worth; the derivatives by
# the cases' weights are taken numerically.
# Without an interval where there are fewer than 10 patients, or (but for AC1) fewer than 3 calls a reader of another kind
# than the most frequent one.
agreement <- function(parts, cases, alpha, calls, always = FALSE) {
  n <- length(cases)
  none <- c(value = NA, low = NA, high = NA, n = n)
  if (n == 0) return(none)
  coefficient <- function(weights) { found <- parts(weights); 1 - found[["observed"]] / found[["chance"]] }
  whole <- parts(rep(1, n))
  if (!is.finite(whole[["chance"]]) || whole[["chance"]] <= 0) return(none)
  value <- coefficient(rep(1, n))
  patients <- patient_of[cases]
  m <- length(unique(patients))
  often <- table(calls)
  rarer <- n * (1 - max(often) / sum(often))
  if (m < 10 || (!always && rarer < 3 - 1e-9)) return(c(value = value, low = NA, high = NA, n = n))
  step <- 1e-4
  influence <- sapply(seq_len(n), function(case) {
    up <- rep(1, n); up[case] <- 1 + step
    down <- rep(1, n); down[case] <- 1 - step
    (coefficient(up) - coefficient(down)) / (2 * step)
  })
  summed <- tapply(influence, patients, sum)
  variance <- (m / (m - 1))^3 * sum((summed - mean(summed))^2)
  p <- whole[["observed"]]
  spread <- p * (1 - p) / whole[["chance"]]^2
  worth <- if (spread > 1e-24) min(1.5 * m, spread / variance) else m
  z <- qt(1 - alpha / 2, m - 1)
  middle <- p + z^2 / (2 * worth); far <- z * sqrt(p * (1 - p) / worth + z^2 / (4 * worth^2))
  low <- if (p <= 0) 0 else (middle - far) / (1 + z^2 / worth)
  high <- if (p >= 1) 1 else (middle + far) / (1 + z^2 / worth)
  c(value = value, low = max(-1, 1 - high / whole[["chance"]]), high = min(1, 1 - low / whole[["chance"]]), n = n)
}
table_of <- function(arm) {
  readers <- readers_of(arm)
  cases <- names(truth_of)
  t(sapply(readers, function(one) setNames(rating_of(rows_of("reader", one, NA, arm, "all"))[cases], cases)))
}
# Agreement on the cases that at least so many of these readers have read.
agreement_of <- function(row, alpha) {
  table <- table_of(row$arm)
  read <- function(rows, at_least) rows[, colSums(!is.na(rows)) >= at_least, drop = FALSE]
  if (row$figure == "cohen_pair") {
    pair <- read(table[c(row$caller, row$versus), , drop = FALSE], 2)
    return(agreement(cohen(pair[1, ] >= 0, pair[2, ] >= 0), colnames(pair), alpha, pair >= 0))
  }
  if (row$figure %in% c("fleiss", "gwet_ac1")) {
    common <- read(table, nrow(table))
    is_ac1 <- row$figure == "gwet_ac1"
    return(agreement(of_all(common >= 0, row$figure), colnames(common), alpha, common >= 0, always = is_ac1))
  }
  some <- read(table, 2)
  parts <- if (row$figure == "krippendorff_alpha") krippendorff(1 * (some >= 0), FALSE) else krippendorff(some, TRUE)
  agreement(parts, colnames(some), alpha, if (row$figure == "krippendorff_alpha") some >= 0 else some)
}

# Calibration ------------------------------------------------------------------------------------------------------------
calibration <- function(figure, rows) {
  p <- rows$probability; y <- 1 * rows$is_hsil
  called <- p >= 0.5
  switch(
    figure,
    brier = mean((p - y)^2),
    overcalling = mean(p - y),
    overconfidence = mean(ifelse(called, p, 1 - p) - (called == rows$is_hsil)),
    ece = {
      n <- length(p); count <- min(10, max(1, n %/% 10)); rising <- sort(p)
      cuts <- if (count > 1) (seq_len(count - 1) * n) %/% count else integer(0)
      edges <- sort(unique((rising[cuts] + rising[cuts + 1]) / 2))
      below <- sapply(edges, function(edge) sum(rising < edge))
      if (length(edges)) edges <- edges[diff(c(0, below)) > 0]
      bin <- findInterval(p, edges)
      sum(abs(tapply(y - p, bin, sum))) / n
    }
  )
}

# Each figure ------------------------------------------------------------------------------------------------------------
recompute <- function(row) {
  alpha <- number(row$alpha)
  rows <- function() rows_of(row$caller_kind, row$caller, row$channels, row$arm, row$scope)
  other <- function() rating_of(rows_of("checkpoint", row$versus, row$versus_channels, NA, "unseen"))
  base <- sub("_difference$", "", row$figure)
  is_difference <- base != row$figure
  if (row$method %in% c("wilson", "clopper-pearson")) {
    found <- rows(); counts <- share_of(row$figure, found$is_hsil, found$call_hsil)
    interval <- if (row$method == "wilson") wilson else clopper_pearson
    limits <- interval(counts[["k"]], counts[["n"]], alpha)
    value <- if (counts[["n"]] == 0) NA else counts[["k"]] / counts[["n"]]
    return(c(value = value, low = limits[1], high = limits[2], k = counts[["k"]], n = counts[["n"]]))
  }
  if (row$method == "delong" && !is_difference) {
    curve <- roc_of(rating_of(rows())); value <- as.numeric(auc(curve)); variance <- var(curve, method = "delong")
    if (variance <= 1e-24) return(c(value = value, low = NA, high = NA))
    far <- qnorm(1 - alpha / 2) * sqrt(variance)
    return(c(value = value, low = max(0, value - far), high = min(1, value + far)))
  }
  pair <- function() {
    second <- if (is.na(row$versus_arm)) other() else rating_of(rows_of("reader", row$caller, NA, row$versus_arm, "all"))
    complete(list(rating_of(rows()), second))
  }
  if (row$method == "delong") {
    both <- pair(); curves <- lapply(both, roc_of)
    value <- as.numeric(auc(curves[[1]])) - as.numeric(auc(curves[[2]]))
    whole <- covariance_of(both, "auc"); se <- sqrt(whole[1, 1] + whole[2, 2] - 2 * whole[1, 2])
    n <- length(both[[1]])
    if (is.na(se) || se^2 <= 1e-24) return(c(value = value, low = NA, high = NA, p = NA, n = n))
    far <- qnorm(1 - alpha / 2) * se
    return(c(value = value, low = value - far, high = value + far, p = 2 * pnorm(-abs(value / se)), n = n))
  }
  if (row$method == "newcombe") {
    both <- pair(); truth <- truth_of[names(both[[1]])]
    kept <- switch(base, accuracy = rep(TRUE, length(truth)), sensitivity = truth, specificity = !truth)
    right <- lapply(both, function(one) ((one >= 0) == truth)[kept])
    return(newcombe(right[[1]], right[[2]], alpha))
  }
  if (row$method == "obuchowski-rockette") {
    readers <- readers_of(row$arm)
    vectors <- lapply(readers, function(one) rating_of(rows_of("reader", one, NA, row$arm, "all")))
    if (!is.na(row$versus_arm)) {
      second <- lapply(readers, function(one) rating_of(rows_of("reader", one, NA, row$versus_arm, "all")))
      return(two_arms(vectors, second, base, alpha))
    }
    if (!is_difference) {
      values <- sapply(vectors, function(one) parts_of(one, base)$value)
      return(of_mean(values, covariance_of(vectors, base), alpha)[c("value", "low", "high")])
    }
    every <- complete(c(vectors, list(other()))); last <- length(every)
    values <- sapply(every, function(one) parts_of(one, base)$value)
    against <- cbind(diag(last - 1), -1)
    return(of_mean(values[-last] - values[last], against %*% covariance_of(every, base) %*% t(against), alpha))
  }
  if (row$method == "time") {
    times <- rows()$time
    return(c(value = as.numeric(quantile(times, number(row$quantile), names = FALSE)), n = length(times)))
  }
  if (row$method == "jackknife-wilson" && row$figure != "cohen_again") return(agreement_of(row, alpha))
  if (row$figure == "cohen_again") {
    found <- readings[in_order, ]
    found <- found[found$caller_kind == "reader" & found$caller == row$caller & found$arm == row$arm, ]
    pairs <- lapply(split(found$rating, found$case_id), head, 2)
    pairs <- do.call(rbind, pairs[lengths(pairs) == 2])
    return(agreement(cohen(pairs[, 1] >= 0, pairs[, 2] >= 0), rownames(pairs), alpha, pairs >= 0))
  }
  if (row$figure %in% c("brier", "ece", "overcalling", "overconfidence")) return(c(value = calibration(row$figure, rows())))
  stop(paste("no way to recompute", row$figure, row$method))
}

worst <- 0; unlike <- 0; resampled <- 0
for (place in seq_len(nrow(figures))) {
  row <- figures[place, ]
  found <- recompute(row)
  parts <- intersect(names(found), c("value", "low", "high", "p", "k", "n", "b", "c"))
  if (row$method == "bootstrap") {
    parts <- setdiff(parts, c("low", "high"))
    if (!is.na(row$low)) resampled <- resampled + 1
  }
  for (part in parts) {
    reported <- number(row[[part]]); here <- found[[part]]
    if (is.nan(here)) here <- NA
    apart <- if (is.na(reported) && is.na(here)) 0 else abs(reported - here)
    is_same <- !is.na(apart) && apart <= TOLERANCE
    if (!is_same) unlike <- unlike + 1
    if (!is.na(apart)) worst <- max(worst, apart)
    cat(sprintf("%-12s %-60s %-5s %15.9f %15.9f\n", if (is_same) "same" else "UNLIKE", row$name, part, reported, here))
  }
}
cat(sprintf("\n%d figures; largest difference %.2e\n", nrow(figures), worst))
cat(sprintf("%d intervals rest on the program's own random resampling and were not recomputed; their estimates were.\n", resampled))
if (unlike > 0) {
  cat(sprintf("%d numbers differ by more than %g\n", unlike, TOLERANCE))
  quit(status = 1)
}
