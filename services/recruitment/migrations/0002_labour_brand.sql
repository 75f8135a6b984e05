-- The labour brand under which an enterprise looks for workers, by its code.
ALTER TABLE vacancy ADD COLUMN labour_brand text;
CREATE INDEX vacancy_labour_brand ON vacancy (labour_brand) WHERE labour_brand IS NOT NULL;
