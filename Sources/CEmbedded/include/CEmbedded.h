void auscult_embedded_anchor(void);
