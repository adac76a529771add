% octave octave_peer.m read IMAGE ROWS COLS BANDS VALUES.bin | octave octave_peer.m write VALUES.bin ROWS COLS BANDS FILE
arguments = argv();
sizes = cellfun(@str2double, arguments(3:5))';
if strcmp(arguments{1}, "read")
  % Octave has no multibandread; people read a band-sequential file so
  file = fopen(arguments{2}, "r", "ieee-le");
  cube = permute(reshape(fread(file, Inf, "int16"), sizes([2 1 3])), [2 1 3]);
  fclose(file);
  file = fopen(arguments{6}, "w");
  fwrite(file, permute(cube, [2 1 3]), "double");
  fclose(file);
else
  file = fopen(arguments{2}, "r");
  cube = int16(permute(reshape(fread(file, Inf, "double"), sizes([2 1 3])), [2 1 3]));
  fclose(file);
  wavelength = 400 + 50 * (0:sizes(3)-1);
  options = {"-hdf5"};
  if strcmp(arguments{6}(end-2:end), "mat") options = {"-v7"}; end
  % what save does by itself
  if strcmp(arguments{6}(end-2:end), "txt") options = {}; end
  save(options{:}, arguments{6}, "cube", "wavelength");
end
