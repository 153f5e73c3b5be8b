# Recomputes every number of a study's report from its locked readings, with base R and pROC.
#
#   Rscript analyse.R            in the folder with readings.csv and figures.csv
#
# It prints each number as the report has it and as it is found here, and ends with status 1 where one differs by more
# than a millionth. Intervals that rest on the program's own random resampling, and those of calibration by patients,
# are named and not recomputed; their estimates are. Patients are told apart by number and not named.

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
  # McNemar's mid-p: half of the probability of what was found is left out.
  p <- if (b + c == 0) 1 else {
    binom.test(b, b + c, 0.5)$p.value - dbinom(b, b + c, 0.5) * (if (b == c) 0.5 else 1)
  }
  c(value = p1 - p2, low = p1 - p2 - low, high = p1 - p2 + high, p = p, n = n, b = b, c = c)
}

# Areas ----------------------------------------------------------------------------------------------------------------
roc_of <- function(ratings) {
  truth <- truth_of[names(ratings)]
  roc(controls = ratings[!truth], cases = ratings[truth], direction = "<", quiet = TRUE)
}
area <- function(ratings) as.numeric(auc(roc_of(ratings)))

# One area: Newcombe's method 5 (2006), widened where DeLong's variance is larger; none below five cases of a class.
newcombe_5 <- function(ratings, alpha) {
  curve <- roc_of(ratings); value <- as.numeric(auc(curve))
  m <- length(curve$cases); n <- length(curve$controls)
  if (min(m, n) < 5) return(c(value = value, low = NA, high = NA))
  middle <- (m + n) / 2 - 1
  variance <- function(one) one * (1 - one) * (1 + middle * ((1 - one) / (2 - one) + one / (1 + one))) / (m * n)
  found <- var(curve, method = "delong")
  wider <- if (variance(value) > 1e-24) max(1, found / variance(value)) else 1
  beyond <- function(one) abs(one - value) - qnorm(1 - alpha / 2) * sqrt(wider * variance(one))
  root <- function(from, to) uniroot(beyond, c(from, to), tol = 1e-13)$root
  c(
    value = value,
    low = if (value <= 0) 0 else root(0, min(value, 1 - 1e-9)),
    high = if (value >= 1) 1 else root(max(value, 1e-9), 1)
  )
}
# The same where a patient has several cases: Obuchowski's variance takes the place of DeLong's, t that of the normal.
newcombe_5_by_patients <- function(ratings, alpha) {
  truth <- truth_of[names(ratings)]; of <- patient_of[names(ratings)]
  if (!has_clusters(names(ratings))) return(newcombe_5(ratings, alpha))
  curve <- roc_of(ratings); value <- as.numeric(auc(curve))
  m <- sum(truth); n <- sum(!truth)
  patients <- c(length(unique(of[truth])), length(unique(of[!truth])))
  if (min(patients) < 5) return(c(value = value, low = NA, high = NA))
  variance <- function(one, m, n) {
    one * (1 - one) * (1 + ((m + n) / 2 - 1) * ((1 - one) / (2 - one) + one / (1 + one))) / (m * n)
  }
  together <- vary_together(list(ratings), "auc", TRUE)[1, 1]
  grown <- function(found, assumed) if (assumed <= 1e-24) 1 else max(1, found / assumed)
  wider <- if (together <= 1e-24) variance(0.5, patients[1], patients[2]) / variance(0.5, m, n) else {
    max(grown(together, variance(value, m, n)), grown(together, var(curve, method = "delong")))
  }
  beyond <- function(one) abs(one - value) - qt(1 - alpha / 2, min(patients) - 1) * sqrt(wider * variance(one, m, n))
  root <- function(from, to) uniroot(beyond, c(from, to), tol = 1e-13)$root
  c(value = value, low = if (value <= 0) 0 else root(0, min(value, 1 - 1e-9)), high = if (value >= 1) 1 else root(max(value, 1e-9), 1))
}
# Fewer cases of a class than this, and no interval or p of a difference of areas is given.
FEWEST_FOR_A_DIFFERENCE <- 10

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

# Patients --------------------------------------------------------------------------------------------------------------
patient_of <- local({
  known <- readings[!duplicated(readings$case_id), ]
  setNames(known$patient, known$case_id)
})
has_clusters <- function(cases) anyDuplicated(patient_of[cases]) > 0

# How the figures of vectors of ratings vary together: what each case gives to a figure less its mean is summed within
# patients, and patients with cases of both classes add a cross term (Obuchowski 1997); two vectors share the cases that
# both have (Zhou and Gatsonis 1996). With one case a patient and no gap it is DeLong's covariance.
given <- function(ratings, figure) {
  truth <- truth_of[names(ratings)]
  parts <- parts_of(ratings, figure)
  shares <- numeric(length(ratings))
  if (figure == "auc") {
    shares[truth] <- (parts$positive - parts$value) / sum(truth)
    shares[!truth] <- (parts$negative - parts$value) / sum(!truth)
    return(list(value = parts$value, shares = shares))
  }
  right <- 1 * ((ratings >= 0) == truth)
  judged <- switch(figure, accuracy = list(truth, !truth), sensitivity = list(truth), specificity = list(!truth))
  n <- sum(sapply(judged, sum))
  for (one in judged) shares[one] <- (right[one] - mean(right[one])) / n
  list(value = parts$value, shares = shares)
}
vary_together <- function(vectors, figure, clustered) {
  cases <- unique(unlist(lapply(vectors, names)))
  group <- if (clustered) patient_of[cases] else cases
  names(group) <- cases
  groups <- unique(group)
  sums <- list(matrix(0, length(vectors), length(groups)), matrix(0, length(vectors), length(groups)))
  read <- list(sums[[1]], sums[[1]], sums[[1]])
  for (v in seq_along(vectors)) {
    ratings <- vectors[[v]]
    truth <- truth_of[names(ratings)]
    place <- match(group[names(ratings)], groups)
    shares <- given(ratings, figure)$shares
    for (i in seq_along(ratings)) {
      side <- if (truth[i]) 1 else 2
      sums[[side]][v, place[i]] <- sums[[side]][v, place[i]] + shares[i]
      read[[side]][v, place[i]] <- 1
      read[[3]][v, place[i]] <- 1
    }
  }
  surplus <- lapply(read, function(one) {
    shared <- one %*% t(one)
    ifelse(shared > 1, shared / pmax(shared - 1, 1), 0)
  })
  across <- sums[[1]] %*% t(sums[[2]])
  surplus[[1]] * (sums[[1]] %*% t(sums[[1]])) + surplus[[2]] * (sums[[2]] %*% t(sums[[2]])) +
    surplus[[3]] * (across + t(across))
}
# By pROC where it can be: of areas, with one case a patient and no gap.
matrix_of <- function(vectors, figure, clustered) {
  sizes <- lengths(vectors)
  whole <- all(sizes == length(unique(unlist(lapply(vectors, names)))))
  if (whole && !clustered) covariance_of(vectors, figure) else vary_together(vectors, figure, clustered)
}
# Cases or patients of either class of the vector that has fewest.
units_of <- function(vectors, figure, clustered) {
  counted <- sapply(vectors, function(ratings) {
    truth <- truth_of[names(ratings)]
    each <- if (clustered) patient_of[names(ratings)] else names(ratings)
    c(length(unique(each[truth])), length(unique(each[!truth])))
  })
  least <- apply(counted, 1, min)
  switch(figure, sensitivity = least[1], specificity = least[2], min(least))
}

# Obuchowski and Rockette with Hillis' degrees of freedom ----------------------------------------------------------------
FEWEST <- 5
FEWEST_DIFFERENCE <- 10
bounds <- function(value, se, df, alpha) {
  far <- if (is.infinite(df)) qnorm(1 - alpha / 2) else qt(1 - alpha / 2, df)
  c(value - far * se, value + far * se)
}
cut_at_one <- function(limits) {
  if (limits[1] <= -1 && limits[2] >= 1) c(NA, NA) else c(max(limits[1], -1), min(limits[2], 1))
}
logit_bounds <- function(value, se, df, alpha) {
  if (is.na(se) || value <= 0 || value >= 1) return(c(NA, NA))
  plogis(bounds(qlogis(value), se / (value * (1 - value)), df, alpha))
}
# A variance from readers and from cases, with its degrees of freedom; where it is bounded, not below that of these readers.
joined <- function(by_reader, of_cases, these, n, cases_df, is_bounded) {
  variance <- by_reader + of_cases
  below <- if (by_reader > 1e-24) by_reader^2 / (n - 1) else 0
  if (is.finite(cases_df)) below <- below + of_cases^2 / cases_df
  df <- if (below > 0) variance^2 / below else Inf
  if (is_bounded && these > variance) c(variance = these, df = cases_df) else c(variance = variance, df = df)
}
between_readers <- function(matrix) mean(matrix[row(matrix) != col(matrix)])
one_arm <- function(vectors, figure, clustered, alpha) {
  values <- sapply(vectors, function(one) parts_of(one, figure)$value)
  n <- length(values); units <- units_of(vectors, figure, clustered)
  if (units < FEWEST) return(c(value = mean(values), low = NA, high = NA))
  whole <- matrix_of(vectors, figure, clustered)
  cov2 <- between_readers(whole)
  found <- joined(var(values), n * max(cov2, 0), mean(diag(whole)) + (n - 1) * cov2, n, units - 1, TRUE)
  if (found[["variance"]] <= 1e-24) return(c(value = mean(values), low = NA, high = NA))
  # Readers who are alike by chance, as those near an end are, seem to vary little.
  most <- if (n == 2) 3 else if (max(mean(values), 1 - mean(values)) >= 0.95) n - 1 else Inf
  df <- min(found[["df"]], most)
  limits <- logit_bounds(mean(values), sqrt(found[["variance"]] / n), df, alpha)
  c(value = mean(values), low = limits[1], high = limits[2])
}
against_model <- function(vectors, model, figure, clustered, alpha) {
  every <- c(vectors, list(model)); last <- length(every); n <- last - 1
  values <- sapply(every, function(one) parts_of(one, figure)$value)
  difference <- mean(values[-last]) - values[last]
  units <- units_of(vectors, figure, clustered)
  if (units < FEWEST_DIFFERENCE) return(c(value = difference, low = NA, high = NA, p = NA))
  contrast <- cbind(diag(n), -1)
  whole <- contrast %*% matrix_of(every, figure, clustered) %*% t(contrast)
  cov2 <- between_readers(whole)
  found <- joined(var(values[-last]), n * max(cov2, 0), mean(diag(whole)) + (n - 1) * cov2, n, units - 1, TRUE)
  if (found[["variance"]] <= 1e-24) return(c(value = difference, low = NA, high = NA, p = NA))
  se <- sqrt(found[["variance"]] / n); t <- difference / se
  p <- if (is.infinite(found[["df"]])) 2 * pnorm(-abs(t)) else 2 * pt(-abs(t), found[["df"]])
  limits <- cut_at_one(bounds(difference, se, found[["df"]], alpha))
  c(value = difference, low = limits[1], high = limits[2], p = p)
}
two_arms <- function(first, second, figure, clustered, alpha) {
  n <- length(first)
  values <- rbind(sapply(first, function(one) parts_of(one, figure)$value), sapply(second, function(one) parts_of(one, figure)$value))
  difference <- mean(values[1, ]) - mean(values[2, ])
  units <- units_of(c(first, second), figure, clustered)
  if (units < FEWEST_DIFFERENCE) return(c(value = difference, low = NA, high = NA, p = NA))
  whole <- matrix_of(c(first, second), figure, clustered)
  arm <- rep(1:2, each = n); reader <- rep(seq_len(n), 2)
  other_reader <- outer(reader, reader, "!="); same_arm <- outer(arm, arm, "==")
  part <- function(where) mean(whole[where])
  apart <- part(same_arm & other_reader) - part(!same_arm & other_reader)
  these <- part(same_arm & !other_reader) - part(!same_arm & !other_reader) + (n - 1) * apart
  rest <- values - rowMeans(values) - matrix(colMeans(values), 2, n, byrow = TRUE) + mean(values)
  # Areas of independent cases as published; the others are never surer than these readers alone.
  usual <- figure == "auc" && !clustered
  found <- joined(sum(rest^2) / (n - 1), n * max(apart, 0), these, n, if (clustered) units - 1 else Inf, !usual)
  if (found[["variance"]] <= 1e-24) return(c(value = difference, low = NA, high = NA, p = NA))
  f <- n * sum((rowMeans(values) - mean(values))^2) / found[["variance"]]
  df2 <- found[["df"]]
  p <- if (is.infinite(df2)) 2 * pnorm(-sqrt(f)) else pf(f, 1, df2, lower.tail = FALSE)
  limits <- cut_at_one(bounds(difference, sqrt(2 * found[["variance"]] / n), df2, alpha))
  c(value = difference, low = limits[1], high = limits[2], p = p)
}
# The readers who have read at least half, in each of these arms, of the cases that somebody has read in one of them.
readers_kept <- function(arms, cases = NULL) {
  every <- unique(unlist(lapply(arms, readers_of)))
  read <- lapply(arms, function(arm) lapply(setNames(every, every), function(one) {
    found <- rating_of(rows_of("reader", one, NA, arm, "all"))
    if (is.null(cases)) found else found[names(found) %in% cases]
  }))
  n <- length(unique(unlist(lapply(read, function(arm) lapply(arm, names)))))
  enough <- sapply(every, function(one) all(sapply(read, function(arm) length(arm[[one]]) >= n / 2)))
  kept <- sort(every[enough])
  list(readers = kept, vectors = lapply(read, function(arm) arm[kept]))
}
read_at_all <- function() {
  found <- readings[is_reader & readings$occurrence == "1", ]
  unique(found$case_id)
}

# These readers, over patients --------------------------------------------------------------------------------------------
# What each patient adds to a figure's error, and how many patients it is of (of an area, of the rarer class).
adds <- function(ratings, figure) {
  truth <- truth_of[names(ratings)]; calls <- ratings >= 0
  of <- patient_of[names(ratings)]
  if (figure == "auc") {
    found <- given(ratings, "auc")
    patients <- min(length(unique(of[truth])), length(unique(of[!truth])))
    return(list(value = found$value, sums = tapply(found$shares, of, sum), patients = patients))
  }
  part <- switch(
    figure, accuracy = calls == truth, sensitivity = calls & truth, specificity = !calls & !truth, ppv = calls & truth,
    npv = !calls & !truth
  )
  whole <- switch(figure, accuracy = rep(TRUE, length(truth)), sensitivity = truth, specificity = !truth, ppv = calls, npv = !calls)
  if (!any(whole)) return(list(value = NA, sums = tapply(0 * whole, of, sum), patients = 0))
  value <- sum(part) / sum(whole)
  list(value = value, sums = tapply((part - value * whole) / sum(whole), of, sum), patients = length(unique(of[whole])))
}
mean_of <- function(found) {
  patients <- unique(unlist(lapply(found, function(one) names(one$sums))))
  sums <- sapply(found, function(one) { all <- one$sums[patients]; all[is.na(all)] <- 0; all })
  list(
    value = mean(sapply(found, `[[`, "value")), sums = setNames(rowMeans(matrix(sums, length(patients))), patients),
    patients = min(sapply(found, `[[`, "patients"))
  )
}
minus <- function(one, other) {
  patients <- union(names(one$sums), names(other$sums))
  take <- function(found) { all <- found$sums[patients]; all[is.na(all)] <- 0; all }
  list(value = one$value - other$value, sums = take(one) - take(other), patients = min(one$patients, other$patients))
}
variance_of <- function(found) if (found$patients > 1) found$patients / (found$patients - 1) * sum(found$sums^2) else 0
alone_over_patients <- function(found, figure, alpha) {
  if (is.na(found$value)) return(c(value = NA, low = NA, high = NA))
  nothing <- c(value = found$value, low = NA, high = NA)
  if (found$patients < FEWEST) return(nothing)
  if (figure != "auc" && found$value %in% c(0, 1)) {
    limits <- clopper_pearson(found$value * found$patients, found$patients, alpha)
    return(c(value = found$value, low = limits[1], high = limits[2]))
  }
  variance <- variance_of(found)
  if (variance <= 1e-24) return(nothing)
  limits <- logit_bounds(found$value, sqrt(variance), found$patients - 1, alpha)
  c(value = found$value, low = limits[1], high = limits[2])
}
apart_over_patients <- function(found, fewest, alpha) {
  variance <- variance_of(found)
  if (is.na(found$value) || found$patients < fewest || variance <= 1e-24) {
    return(c(value = found$value, low = NA, high = NA, p = NA))
  }
  df <- found$patients - 1
  limits <- cut_at_one(bounds(found$value, sqrt(variance), df, alpha))
  c(value = found$value, low = limits[1], high = limits[2], p = 2 * pt(-abs(found$value) / sqrt(variance), df))
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
  if (row$method == "clopper-pearson") {
    found <- rows(); counts <- share_of(row$figure, found$is_hsil, found$call_hsil)
    limits <- clopper_pearson(counts[["k"]], counts[["n"]], alpha)
    value <- if (counts[["n"]] == 0) NA else counts[["k"]] / counts[["n"]]
    return(c(value = value, low = limits[1], high = limits[2], k = counts[["k"]], n = counts[["n"]]))
  }
  if (row$method == "newcombe-5") return(newcombe_5(rating_of(rows()), alpha))
  if (row$method == "newcombe-5-by-patients") return(newcombe_5_by_patients(rating_of(rows()), alpha))
  pair <- function() {
    second <- if (is.na(row$versus_arm)) other() else rating_of(rows_of("reader", row$caller, NA, row$versus_arm, "all"))
    complete(list(rating_of(rows()), second))
  }
  if (row$method == "delong") {
    both <- pair(); curves <- lapply(both, roc_of)
    value <- as.numeric(auc(curves[[1]])) - as.numeric(auc(curves[[2]]))
    whole <- covariance_of(both, "auc"); se <- sqrt(whole[1, 1] + whole[2, 2] - 2 * whole[1, 2])
    few <- min(length(curves[[1]]$cases), length(curves[[1]]$controls)) < FEWEST_FOR_A_DIFFERENCE
    n <- length(both[[1]])
    if (few || is.na(se) || se^2 <= 1e-24) return(c(value = value, low = NA, high = NA, p = NA, n = n))
    far <- qnorm(1 - alpha / 2) * se
    p <- 2 * pnorm(-abs(value / se))
    return(c(value = value, low = max(-1, value - far), high = min(1, value + far), p = p, n = n))
  }
  if (row$method == "newcombe") {
    both <- pair(); truth <- truth_of[names(both[[1]])]
    kept <- switch(base, accuracy = rep(TRUE, length(truth)), sensitivity = truth, specificity = !truth)
    right <- lapply(both, function(one) ((one >= 0) == truth)[kept])
    return(newcombe(right[[1]], right[[2]], alpha))
  }
  if (row$method == "obuchowski-rockette") {
    if (is.na(row$versus)) {
      arms <- c(row$arm, if (!is.na(row$versus_arm)) row$versus_arm)
      clustered <- has_clusters(read_at_all())
      kept <- readers_kept(arms)$vectors
      if (length(arms) == 2) return(two_arms(kept[[1]], kept[[2]], base, clustered, alpha))
      return(one_arm(kept[[1]], base, clustered, alpha))
    }
    model <- other()
    kept <- readers_kept(row$arm, names(model))$vectors[[1]]
    read <- unique(unlist(lapply(readers_of(row$arm), function(one) names(rating_of(rows_of("reader", one, NA, row$arm, "all"))))))
    model <- model[names(model) %in% read]
    return(against_model(kept, model, base, has_clusters(names(model)), alpha))
  }
  if (row$method %in% c("obuchowski", "patients")) {
    both <- pair()
    found <- minus(adds(both[[1]], base), adds(both[[2]], base))
    fewest <- if (row$method == "obuchowski") FEWEST_DIFFERENCE else FEWEST
    result <- apart_over_patients(found, fewest, alpha)
    if (row$method == "obuchowski") return(result)
    truth <- truth_of[names(both[[1]])]
    kept <- switch(base, accuracy = rep(TRUE, length(truth)), sensitivity = truth, specificity = !truth)
    right <- lapply(both, function(one) ((one >= 0) == truth)[kept])
    return(c(result, b = sum(right[[1]] & !right[[2]]), c = sum(!right[[1]] & right[[2]])))
  }
  if (row$method == "over-patients") {
    readers <- if (row$caller_kind == "readers") readers_of(row$arm) else row$caller
    read <- function(one, arm) rating_of(rows_of("reader", one, NA, arm, "all"))
    first <- lapply(readers, function(one) if (row$caller_kind == "checkpoint") rating_of(rows()) else read(one, row$arm))
    if (!is_difference) return(alone_over_patients(mean_of(lapply(first, adds, figure = base)), base, alpha))
    fewest <- if (base == "auc") FEWEST_DIFFERENCE else FEWEST
    if (!is.na(row$versus)) {
      model <- other()
      first <- lapply(first, function(one) one[names(one) %in% names(model)])
      model <- model[names(model) %in% unique(unlist(lapply(first, names)))]
      found <- minus(mean_of(lapply(first, adds, figure = base)), adds(model, base))
      return(apart_over_patients(found, fewest, alpha)[c("value", "low", "high")])
    }
    second <- lapply(readers, read, arm = row$versus_arm)
    if (row$caller_kind == "reader") {
      both <- complete(list(first[[1]], second[[1]])); first <- both[1]; second <- both[2]
    }
    found <- minus(mean_of(lapply(first, adds, figure = base)), mean_of(lapply(second, adds, figure = base)))
    return(apart_over_patients(found, fewest, alpha)[c("value", "low", "high")])
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
  if (row$method %in% c("bootstrap", "t-by-patients")) {
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
cat(sprintf("%d intervals rest on the program's own random resampling or are those of calibration by patients and were not recomputed; their estimates were.\n", resampled))
if (unlike > 0) {
  cat(sprintf("%d numbers differ by more than %g\n", unlike, TOLERANCE))
  quit(status = 1)
}
