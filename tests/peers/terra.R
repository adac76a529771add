# Rscript terra.R read FILE VALUES.bin FACTS.txt | Rscript terra.R write SOURCE FILE
suppressMessages(library(terra))
args <- commandArgs(TRUE)
if (args[1] == "read") {
  image <- rast(args[2])
  values <- as.array(image)  # row, col, band; scaled, with NA
  writeBin(as.vector(aperm(values, c(2, 1, 3))), args[3], size = 8)
  box <- as.vector(ext(image))
  writeLines(c(
    paste(dim(image), collapse = " "), paste(names(image), collapse = "|"),
    paste(sprintf("%.12g", c(box[1], box[4], res(image))), collapse = " "), crs(image, describe = TRUE)$code
  ), args[4])
} else {
  image <- rast(args[2])
  type <- if (grepl("tif$", args[3])) "GTiff" else "ENVI"
  writeRaster(image, args[3], filetype = type, datatype = "FLT4S", NAflag = -9999)
}
